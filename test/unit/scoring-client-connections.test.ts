import { ServerCredentials } from '@grpc/grpc-js';
import getPort from 'get-port';
import { describe, expect, it } from 'vitest';

import type { TlsOptions } from '../../src/scoring/client/channel.js';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { Authority } from '../fixtures/authority.js';
import { connect, floats, photoRequest as request, serve, type Answer } from '../fixtures/predict-server.js';

const answer = floats({ float_val: [0, 1] });

/** Servers that count their calls. */
async function serveSeveral(count: number) {
  const calls = new Array<number>(count).fill(0);
  const counted =
    (server: number): Answer =>
    (got, callback) => {
      calls[server] = (calls[server] ?? 0) + 1;
      answer(got, callback);
    };
  const servers = await Promise.all(calls.map((_, server) => serve(counted(server))));
  return { calls, servers, addresses: servers.map(({ address }) => address) };
}

describe('several addresses', () => {
  it('take turns', async () => {
    const { calls, addresses } = await serveSeveral(3);
    const client = connect({ address: addresses });
    // The first calls go to whichever connection is there first.
    await expect
      .poll(async () => {
        await client.predict(request);
        return Math.min(...calls);
      })
      .toBeGreaterThan(0);
    calls.fill(0);
    for (let call = 0; call < 30; call++) await client.predict(request);
    expect(calls).toEqual([10, 10, 10]);
  });

  it('of which some are dead from the beginning are passed over', async () => {
    const { calls, addresses } = await serveSeveral(1);
    const client = connect({ address: [`127.0.0.1:${await getPort()}`, ...addresses] });
    for (let call = 0; call < 10; call++) await client.predict(request);
    expect(calls).toEqual([10]);
  });

  it('of which one dies go on without it, and with it when it is back', async () => {
    const { calls, servers, addresses } = await serveSeveral(2);
    const client = connect({ address: addresses });
    const scored = () => client.predict(request);
    await scored();
    servers[0]?.stop();
    calls.fill(0);
    for (let call = 0; call < 10; call++) await scored();
    expect(calls).toEqual([0, 10]);
    let revived = 0;
    await serve(
      (got, callback) => {
        revived++;
        answer(got, callback);
      },
      { port: servers[0]?.port ?? 0 },
    );
    await expect.poll(() => scored().then(() => revived), { timeout: 10_000 }).toBeGreaterThan(0);
  });

  it.each([[['a.example:1', '10.0.0.7:1']], [['10.0.0.7:1', '[fd00::7]:1']], [[]]])('%j are refused', (address) => {
    expect(() => PredictClient.connect({ address })).toThrow(/address/);
  });
});

describe('a client that does not fit its server is told at once by what it is', async () => {
  const [authority, stranger] = await Promise.all([Authority.create(), Authority.create()]);
  const [own, ended, foreign] = await Promise.all([
    authority.issue(['scoring.example.com']),
    authority.issue(['scoring.example.com'], { from: -2, to: -1 }),
    stranger.issue(['scoring.example.com']),
  ]);
  const secured = (pair = own, clients?: Authority) =>
    ServerCredentials.createSsl(
      clients ? Buffer.from(clients.pem) : null,
      [{ cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) }],
      clients !== undefined,
    );
  const trust = { root: authority.pem, serverName: 'scoring.example.com' };

  it.each<[string, ServerCredentials, TlsOptions | undefined, string]>([
    ['plain to TLS', secured(), undefined, 'tls-expected'],
    ['plain to mutual TLS', secured(own, authority), undefined, 'tls-expected'],
    ['TLS to plain', ServerCredentials.createInsecure(), trust, 'tls-not-spoken'],
    ['another authority', secured(), { ...trust, root: stranger.pem }, 'certificate-not-trusted'],
    ['a private authority as if it were public', secured(), { ...trust, root: undefined }, 'certificate-not-trusted'],
    ['a certificate that has ended', secured(ended), trust, 'certificate-not-trusted'],
    ['another name', secured(), { ...trust, serverName: 'other.example.com' }, 'certificate-of-another-name'],
    ['the address as the name', secured(), { root: authority.pem }, 'certificate-of-another-name'],
    ['no client certificate', secured(own, authority), trust, 'client-certificate-refused'],
    [
      'a client certificate of another authority',
      secured(own, authority),
      { ...trust, clientCertificate: foreign },
      'client-certificate-refused',
    ],
  ])('%s', async (_, credentials, tls, kind) => {
    const { address } = await serve(answer, { credentials });
    // Without retries there would be no time for them: only one that is told at once can end so.
    const client = connect({ address, tls, retryWaitsMs: [60_000] });
    const problem: unknown = expect.objectContaining({ kind, lasting: true });
    const call = client.predict({ ...request, timeoutMs: 120_000 });
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', problem });
  });

  it('and one that fits is not', async () => {
    const { address } = await serve(answer, { credentials: secured(own, stranger) });
    const client = connect({ address, tls: { ...trust, clientCertificate: foreign } });
    await expect(client.predict(request)).resolves.toBeDefined();
  });

  it('nobody at the address: told after the attempts, as that may pass', async () => {
    const address = `127.0.0.1:${await getPort()}`;
    const call = connect({ address, retryWaitsMs: [100] }).predict(request);
    await expect(call).rejects.toMatchObject({
      message: `${address}: nothing listens there (ECONNREFUSED)`,
      problem: { kind: 'unreachable', lasting: false },
    });
  });

  it('a host that is none', async () => {
    const call = connect({ address: 'nowhere.invalid:8500', retryWaitsMs: [] }).predict(request);
    const problem: unknown = expect.objectContaining({ kind: 'unreachable' });
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', problem });
  });
});
