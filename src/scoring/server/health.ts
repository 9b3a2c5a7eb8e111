import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the server is: only `ready` takes new calls. */
export type Phase = 'starting' | 'ready' | 'draining';

/**
 * Plain HTTP for Kubernetes' probes: `/healthz` answers 200 as long as the process lives, `/readyz` only while it is ready.
 *
 * @param phase asked at every request
 */
export async function serveHealth(
  { host, port }: { host: string; port: number },
  phase: () => Phase,
): Promise<{ port: number; server: Server }> {
  const server = createServer((request, response) => {
    const code = { '/healthz': 200, '/readyz': phase() === 'ready' ? 200 : 503 }[request.url ?? ''] ?? 404;
    response.writeHead(code, { 'content-type': 'text/plain' }).end(`${code === 404 ? 'not found' : phase()}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // Listening on a TCP port, so the address is one.
  return { port: (server.address() as AddressInfo).port, server };
}
