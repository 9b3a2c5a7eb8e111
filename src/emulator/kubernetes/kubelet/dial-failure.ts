/** Says why a connection could not be made, as Go's clients do, and the kubelet with them; or why it broke later. */
export function dialFailure(error: Error, host: string, port: number): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall !== 'connect') return message;
  return `dial tcp ${host}:${port}: ${code === 'ECONNREFUSED' ? 'connect: connection refused' : message}`;
}
