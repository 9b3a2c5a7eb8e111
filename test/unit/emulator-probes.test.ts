import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runProbe, type ProbeResult } from '../../src/emulator/kubernetes/kubelet/probe.js';
import { podSpecSchema } from '../../src/emulator/kubernetes/objects/pod.js';

const HOST = '127.0.0.1';
let end: () => void = () => undefined;
afterEach(() => end());

/** A gRPC server, with the health service where it has states. */
async function serve(states?: ConstructorParameters<typeof HealthImplementation>[0]): Promise<number> {
  const server = new Server();
  if (states !== undefined) new HealthImplementation(states).addToServer(server);
  end = () => server.forceShutdown();
  return new Promise((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

/** A server that takes connections and says nothing. */
async function serveSilence(): Promise<number> {
  const server = createServer().listen(0, HOST);
  end = () => server.close();
  return new Promise((resolve) => server.once('listening', () => resolve((server.address() as AddressInfo).port)));
}

/** Half a minute is enough for a call on a busy machine; where none succeeds, the time is waited out. */
async function probe(grpc: { port: number; service?: string }, timeoutSeconds = 30): Promise<ProbeResult> {
  const { containers } = podSpecSchema.parse({ containers: [{ readinessProbe: { grpc, timeoutSeconds } }] });
  const [container] = containers;
  if (container?.readinessProbe === undefined) throw new Error('no probe');
  return runProbe(container.readinessProbe, container, HOST, () => Promise.reject(new Error('no command')));
}

describe('a gRPC probe', () => {
  const states = { '': 'SERVING', 'model.Ready': 'SERVING', 'model.Warming': 'NOT_SERVING' } as const;

  it.each([[undefined], ['model.Ready']])('succeeds where the service is up: %s', async (service) => {
    const port = await serve({ ...states });
    expect(await probe({ port, ...(service !== undefined && { service }) })).toEqual({ ok: true });
  });

  it.each([
    ['is not up', 'model.Warming', 'service unhealthy (responded with "NOT_SERVING")'],
    [
      'is not known',
      'other',
      'error: health rpc probe failed: rpc error: code = NotFound desc = Health status unknown for service other',
    ],
  ])('fails where the service %s', async (_, service, reason) => {
    expect(await probe({ port: await serve({ ...states }), service })).toEqual({ ok: false, reason });
  });

  it('fails where the server has no health service', async () => {
    const { ok, ...failure } = await probe({ port: await serve() });
    expect(ok).toBe(false);
    expect(failure).toHaveProperty('reason', expect.stringContaining('does not implement the grpc health protocol'));
  });

  it.each([
    ['nothing listens', async () => 1],
    ['nothing speaks gRPC', serveSilence],
  ])('fails where %s', async (_, listen) => {
    const port = await listen();
    const reason = `timeout: failed to connect service "${HOST}:${port}" within 1s: context deadline exceeded`;
    expect(await probe({ port }, 1)).toEqual({ ok: false, reason });
  });
});
