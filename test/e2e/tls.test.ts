import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectToAzure } from '../../src/azure/connection.js';
import { clusterRef } from '../../src/azure/clusters.js';
import { connectToKubernetes } from '../../src/azure/kubernetes/connection.js';
import { home } from '../../src/cli/local/home.js';
import { stackEnvironment } from '../../src/cli/local/stack.js';
import type { DeployResult, DeploymentHandle, TlsOptions } from '../../src/client.js';
import { Authority, tlsSecret, type IssuedCertificate } from '../fixtures/authority.js';
import { photo, PHOTOS, sampleSpec, TestStack } from '../fixtures/e2e/stack.js';
import { agreeing, callFromPython } from '../fixtures/serving-client.js';

const service = 'secured';
const coffee = photo('coffee.jpg');
const withCertificate = (secret: string, clientSecret = 'callers') =>
  sampleSpec(service, {
    scoring: { connectionAgeSeconds: 5, tls: { secret, clientSecret } },
    smoke: { photos: [{ path: coffee, expect: 967 }] },
  });

let local: TestStack;
let authority: Authority;
/** Of the callers' certificates. */
let callers: Authority;
let caller: IssuedCertificate;
let result: DeployResult;

beforeAll(async () => {
  [local, authority, callers] = await Promise.all([TestStack.start(), Authority.create(), Authority.create()]);
  caller = await callers.issue([]);
});
afterAll(() => local?.stop());

/** What a person does with kubectl. */
async function createSecret(name: string, members: Record<string, string>): Promise<void> {
  const azure = connectToAzure({ ...process.env, ...stackEnvironment(local.stack.temporal, local.stack.azure) });
  const ref = clusterRef(local.client.identify(service), `slipway-${service}`);
  const { core } = await connectToKubernetes(azure, ref, AbortSignal.timeout(30_000));
  await core.createNamespacedSecret({ namespace: 'default', body: tlsSecret(name, members) });
}

/** What a deployment says that it waits for, once it waits for something like that. */
async function waitOf(handle: DeploymentHandle, like: RegExp): Promise<string> {
  for await (const { waits } of handle.watch()) {
    const message = waits.map((wait) => wait.message ?? '').find((text) => like.test(text));
    if (message !== undefined) return message;
  }
  throw new Error('the deployment ended before it waited for that');
}

describe('a service with a certificate, which asks its callers for theirs', () => {
  it('waits for it in a cluster that was just created, and goes live with it', async () => {
    const handle = await local.client.startDeployment(withCertificate('front'));
    expect(await waitOf(handle, /Secret/)).toMatch(
      /^waiting: The cluster has no Secret front in its namespace default/,
    );
    const { cert, key } = await authority.issue(['scoring.example.com']);
    await createSecret('front', { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.pem });
    expect(await waitOf(handle, /Secret callers/)).toMatch(/^waiting: /);
    await createSecret('callers', { 'tls.crt': caller.cert, 'tls.key': caller.key, 'ca.crt': callers.pem });
    result = await handle.result();
    expect(result.scores[0]?.top5[0]?.index).toBe(967);
  });

  it('is scored with the authority that is in the cluster, or with one that is given', async () => {
    const given = {
      address: result.address,
      model: result.source.name,
      key: (await local.client.showKeys(service)).primary,
      tls: { root: authority.pem, serverName: 'scoring.example.com', clientCertificate: caller },
    };
    expect((await local.client.score(service, [coffee]))[0]?.classes?.[0]?.index).toBe(967);
    expect((await local.client.score(service, [coffee], given))[0]?.classes?.[0]?.index).toBe(967);
  });

  it('answers TensorFlow Serving’s own Python stubs with what TensorFlow answers', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'slipway-caller-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const file = async (name: string, content: string) => {
      await writeFile(path.join(directory, name), content);
      return path.join(directory, name);
    };
    const { expected, predicted } = await callFromPython({
      address: result.address,
      key: (await local.client.showKeys(service)).primary,
      model: result.source.name,
      photos: PHOTOS.map(({ name }) => photo(name)),
      ca: await file('ca.crt', authority.pem),
      serverName: 'scoring.example.com',
      cert: await file('tls.crt', caller.cert),
      certKey: await file('tls.key', caller.key),
      savedModel: home('models', 'efficientnet-lite0'),
    });
    expect(predicted).toEqual(agreeing(expected));
  });

  it('is not reached without TLS, by who trusts another authority, expects another name or is not known', async () => {
    const { primary: key } = await local.client.showKeys(service);
    const address = { address: result.address, model: result.source.name, key };
    const scored = (tls?: TlsOptions) => local.client.score(service, [coffee], { ...address, ...(tls && { tls }) });
    const trust = { root: authority.pem, serverName: 'scoring.example.com' };
    const foreign = { ...trust, clientCertificate: await authority.issue([]) };
    const stranger = { root: (await Authority.create()).pem, serverName: 'scoring.example.com' };
    const other = { root: authority.pem, serverName: 'other.example.com' };
    await expect(scored()).rejects.toMatchObject({ code: 'TlsExpected' });
    await expect(scored(stranger)).rejects.toMatchObject({ code: 'CertificateNotTrusted' });
    await expect(scored(other)).rejects.toMatchObject({ code: 'CertificateOfAnotherName' });
    await expect(scored(trust)).rejects.toMatchObject({ code: 'ClientCertificateRefused' });
    await expect(scored(foreign)).rejects.toMatchObject({ code: 'ClientCertificateRefused' });
  });

  it('is found live by the same deployment', async () => {
    const again = await (await local.client.startDeployment(withCertificate('front'))).result();
    expect(again).toMatchObject({ outcome: 'unchanged', release: result.release });
  });

  it.each([
    ['is not in a cluster that is there', 'absent', 'TlsSecretMissing'],
    ['cannot be used', 'broken', 'TlsSecretUnusable'],
  ])('is not changed for one whose certificate, or that of its callers, %s', async (_case, secret, code) => {
    if (secret === 'broken') await createSecret(secret, { 'tls.crt': 'x', 'tls.key': 'y' });
    const before = await local.azure.lastSeq();
    const refused = async (spec: ReturnType<typeof withCertificate>) => {
      const handle = await local.client.startDeployment(spec);
      await expect(handle.result()).rejects.toMatchObject({ code, residue: [] });
    };
    await refused(withCertificate(secret));
    await refused(withCertificate('front', secret));
    expect((await local.azure.journal(before)).filter(({ effect }) => effect?.change === 'created')).toEqual([]);
  });

  it('leaves the certificate where it is when it is deleted: that is not Slipway’s', async () => {
    await (await local.client.startTeardown(service)).result();
    const secrets = (await local.azure.inventory()).filter(({ kind }) => kind === 'secret').map(({ name }) => name);
    expect(secrets).toEqual(expect.arrayContaining(['front', 'callers']));
  });
});
