import { Client, credentials, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { modelService } from '../../src/scoring/protos/services.js';
import { selfSigned } from '../fixtures/azure-wire/certificate.js';
import { callUnary } from '../fixtures/grpc-call.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';

const PHOTO = GOLDENS[0]?.photo ?? Buffer.alloc(0);
const model_spec = { name: 'tiny' };

type Certificate = Awaited<ReturnType<typeof selfSigned>>;

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let first: Certificate;
let second: Certificate;

beforeAll(async () => {
  [runtime, first, second] = await Promise.all([bundleScoringRuntime(), selfSigned(), selfSigned()]);
});

afterAll(() => runtime?.remove());

interface TlsServer {
  server: ScoringProcess;
  /** Replaces the files, as a renewed Secret does. */
  replace: (certificate: Partial<Certificate>) => Promise<void>;
}

async function start(environment: Record<string, string> = {}, certificate = first): Promise<TlsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const replace = async ({ cert, key }: Partial<Certificate>) => {
    if (key !== undefined) await writeFile(TLS_KEY_FILE, key);
    if (cert !== undefined) await writeFile(TLS_CERT_FILE, cert);
  };
  await replace(certificate);
  const server = new ScoringProcess(runtime.app, { HTTPS_PORT: '0', TLS_CERT_FILE, TLS_KEY_FILE, ...environment });
  onTestFinished(async () => {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  });
  return { server, replace };
}

async function grpcStatus(server: ScoringProcess, root?: string, own?: Certificate): Promise<string> {
  const secured = root
    ? credentials.createSsl(Buffer.from(root), own ? Buffer.from(own.key) : null, own ? Buffer.from(own.cert) : null)
    : credentials.createInsecure();
  const client = new Client(await server.address(), secured, { 'grpc.use_local_subchannel_pool': 1 });
  try {
    await callUnary(client, modelService.GetModelStatus, { model_spec });
    return 'OK';
  } catch (error) {
    return status[(error as { code: status }).code];
  } finally {
    client.close();
  }
}

/** A REST call over TLS. */
async function rest(server: ScoringProcess, ca: string, headers: Record<string, string> = {}): Promise<number> {
  const { httpsPort } = await server.line('ready');
  const port = Number(httpsPort);
  const call = request({ host: '127.0.0.1', port, path: '/v1/models/tiny', ca, headers, agent: false });
  call.end();
  const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

async function handshake(server: ScoringProcess, version: SecureVersion): Promise<string | null> {
  const port = Number((await server.address()).split(':')[1]);
  const ciphers = 'DEFAULT@SECLEVEL=0';
  const options = { minVersion: version, maxVersion: version, ca: first.cert, ciphers, ALPNProtocols: ['h2'] };
  const socket = connect({ host: '127.0.0.1', port, ...options });
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol();
  } finally {
    socket.destroy();
  }
}

describe('with a certificate', () => {
  it('gRPC and REST are served over TLS only, probes and metrics stay plain', async () => {
    const { server } = await start();
    const client = PredictClient.connect({ address: await server.address(), model: 'tiny', tls: { root: first.cert } });
    onTestFinished(() => client.close());
    const { outputs } = await client.predict({ input: 'images', images: [PHOTO] });
    expect(outputs.output_alias?.values[0]).toBeCloseTo(GOLDENS[0]?.outputs.output_alias?.[0] ?? NaN, 5);
    expect(await grpcStatus(server)).toBe('UNAVAILABLE');
    expect(await rest(server, first.cert)).toBe(200);
    expect(await server.health('/v1/models/tiny')).toBe(404);
    expect(await server.health('/readyz')).toBe(200);
    expect(await server.health('/metrics')).toBe(200);
  });

  it('TLS 1.2 and newer are spoken, older ones not', async () => {
    const { server } = await start();
    expect(await handshake(server, 'TLSv1.2')).toBe('TLSv1.2');
    expect(await handshake(server, 'TLSv1.3')).toBe('TLSv1.3');
    await expect(handshake(server, 'TLSv1.1')).rejects.toThrow();
  });

  it('keys are asked for in REST too', async () => {
    const keys = await mkdtemp(join(tmpdir(), 'slipway-keys-'));
    onTestFinished(() => rm(keys, { recursive: true, force: true }));
    await writeFile(join(keys, 'primary'), 'the-key');
    const { server } = await start({ SCORING_KEYS_DIR: keys });
    expect(await rest(server, first.cert)).toBe(401);
    expect(await rest(server, first.cert, { authorization: 'Bearer the-key' })).toBe(200);
    expect(await grpcStatus(server, first.cert)).toBe('UNAUTHENTICATED');
  });

  it('a renewed one counts without a restart, and calls in between do not fail', async () => {
    const { server, replace } = await start();
    const client = PredictClient.connect({ address: await server.address(), model: 'tiny', tls: { root: first.cert } });
    onTestFinished(() => client.close());
    await client.metadata();
    await replace(second);
    await server.line('certificate reloaded');
    expect(await grpcStatus(server, second.cert)).toBe('OK');
    expect(await grpcStatus(server, first.cert)).toBe('UNAVAILABLE');
    expect(await rest(server, second.cert)).toBe(200);
    await client.metadata();
  });

  it('one that cannot be used is reported, and the last good one stays', async () => {
    const { server, replace } = await start();
    await server.line('ready');
    await replace({ key: second.key });
    await server.line('the new certificate cannot be used');
    expect(await grpcStatus(server, first.cert)).toBe('OK');
    expect(await rest(server, first.cert)).toBe(200);
    expect(JSON.stringify(server.lines)).not.toContain('PRIVATE KEY');
    await replace({ cert: second.cert });
    await server.line('certificate reloaded');
    expect(await grpcStatus(server, second.cert)).toBe('OK');
  });
});

describe('with an authority for clients', () => {
  it('a client without its certificate is refused', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-client-ca-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const ca = join(directory, 'ca.crt');
    await writeFile(ca, second.cert);
    const { server } = await start({ TLS_CLIENT_CA_FILE: ca });
    expect(await grpcStatus(server, first.cert, second)).toBe('OK');
    expect(await grpcStatus(server, first.cert)).toBe('UNAVAILABLE');
    expect(await grpcStatus(server, first.cert, first)).toBe('UNAVAILABLE');
    await expect(rest(server, first.cert)).rejects.toThrow();
    expect(await server.health('/readyz')).toBe(200);
  });
});

describe('a server does not start', () => {
  it('when key and certificate do not belong together', async () => {
    const { server } = await start({}, { cert: first.cert, key: second.key });
    expect(await server.exit).toBe(2);
    expect(server.lines.at(-1)?.msg).toMatch(/^certificate: .*key values mismatch/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['when the certificate is missing', { TLS_CERT_FILE: '/nonexistent' }, /^certificate: ENOENT/],
    ['when there is a certificate without a key', { TLS_KEY_FILE: '' }, /TLS_KEY_FILE/],
  ])('%s', async (_, environment, reason) => {
    const { server } = await start(environment);
    expect(await server.exit).toBe(2);
    expect(server.lines.at(-1)?.msg).toMatch(reason);
  });
});
