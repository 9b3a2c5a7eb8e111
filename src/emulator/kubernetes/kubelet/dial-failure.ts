/** Says why a connection could not be made, as Go's clients do, and the kubelet with them. */
export function dialFailure(error: Error, host: string, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `dial tcp ${host}:${port}: ${code === 'ECONNREFUSED' ? 'connect: connection refused' : message}`;
}
