import { createServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { Server, ServerCredentials, status, type sendUnaryData } from '@grpc/grpc-js';
import { afterAll, describe, expect, it } from 'vitest';
import { connectToTemporal } from '../../src/client/temporal.js';
import { exitCodeOf } from '../../src/cli/exit-code-of.js';

const connect = (address: string, more: NodeJS.ProcessEnv = {}) =>
  connectToTemporal({ TEMPORAL_ADDRESS: address, ...more });

const stops: (() => void)[] = [];
afterAll(() => {
  for (const stop of stops) stop();
});

/** What the calls of a connection are answered with: the client asks for the system's information, then for the namespace. */
type Answers = Record<'GetSystemInfo' | 'DescribeNamespace', status>;

/** A gRPC server with Temporal's first two calls. */
async function serverThatAnswers(answers: Answers): Promise<string> {
  const server = new Server();
  const raw = (bytes: Buffer): Buffer => bytes;
  for (const [name, code] of Object.entries(answers)) {
    const path = `/temporal.api.workflowservice.v1.WorkflowService/${name}`;
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    };
    const answer = (_call: unknown, reply: sendUnaryData<Buffer>): void =>
      code === status.OK ? reply(null, Buffer.alloc(0)) : reply({ code, details: `${name} says ${status[code]}` });
    server.addService({ [name]: method }, { [name]: answer });
  }
  stops.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(`127.0.0.1:${port}`),
    );
  });
}

async function tcpServer(server: TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The port of a server that has ended. */
async function closedPort(): Promise<string> {
  const server = createServer();
  const address = await tcpServer(server);
  await new Promise((resolve) => server.close(resolve));
  return address;
}

const speaksHttp = () =>
  tcpServer(createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')));
const temporal = (answers: Partial<Answers>) => () =>
  serverThatAnswers({ GetSystemInfo: status.OK, DescribeNamespace: status.OK, ...answers });

describe('a Temporal', () => {
  // At once: each waits as long as a person would.
  it.concurrent.each([
    [
      'where nothing listens',
      closedPort,
      {},
      'TemporalUnreachable',
      /nothing listens there \(ECONNREFUSED\)/,
      /slipway up/,
    ],
    [
      'on a host that does not exist',
      () => Promise.resolve('nosuch.invalid:7233'),
      {},
      'TemporalUnreachable',
      /there is no such host|cannot be looked up/,
      /TEMPORAL_ADDRESS/,
    ],
    [
      'whose address is none',
      () => Promise.resolve('my temporal'),
      {},
      'TemporalUnreachable',
      /that is no HOST:PORT/,
      /TEMPORAL_ADDRESS/,
    ],
    [
      'that is something else',
      speaksHttp,
      {},
      'TemporalUnreachable',
      /does not speak as Temporal does without TLS/,
      /TEMPORAL_ADDRESS/,
    ],
    [
      'that is spoken to with TLS, which it has not',
      temporal({}),
      { TEMPORAL_TLS: 'true' },
      'TemporalUnreachable',
      /does not speak as Temporal does with TLS/,
      /TEMPORAL_ADDRESS/,
    ],
    [
      'that does not know the key',
      temporal({ GetSystemInfo: status.UNAUTHENTICATED }),
      { TEMPORAL_API_KEY: 'wrong', TEMPORAL_TLS: 'false' },
      'TemporalRefused',
      /does not let us in: GetSystemInfo says UNAUTHENTICATED/,
      /TEMPORAL_API_KEY/,
    ],
    [
      'that does not show the namespace',
      temporal({ DescribeNamespace: status.PERMISSION_DENIED }),
      {},
      'TemporalRefused',
      /DescribeNamespace says PERMISSION_DENIED/,
      /TEMPORAL_API_KEY/,
    ],
    [
      'without the namespace',
      temporal({ DescribeNamespace: status.NOT_FOUND }),
      { TEMPORAL_NAMESPACE: 'yard' },
      'NamespaceNotFound',
      /has no namespace yard/,
      /temporal operator namespace create --address 127\.0\.0\.1:\d+ --namespace yard/,
    ],
  ])('%s is told as that', async (_what, server, environment, code, message, fix) => {
    const address = await server();
    const error: unknown = await connect(address, environment).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      fix: expect.stringMatching(fix) as string,
    });
    expect((error as Error).message).toContain(address);
    expect(exitCodeOf(error)).toBe(6);
  });

  it('whose configuration names a profile that there is none of is told as that', async () => {
    await expect(connect('127.0.0.1:1', { TEMPORAL_PROFILE: 'absent' })).rejects.toMatchObject({
      code: 'InvalidEnvironment',
      message: expect.stringContaining('absent') as string,
      fix: expect.stringContaining('TEMPORAL_*') as string,
    });
  });
});
