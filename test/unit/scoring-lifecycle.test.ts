import jpegTurbo from '@julusian/jpeg-turbo';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { ConvertedModelManifest } from '../../src/deployment/converted-model.js';
import { PredictClient } from '../../src/scoring/client/predict-client.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';
import { bundleScoringRuntime, MODEL_DIRECTORY, ScoringProcess } from '../fixtures/scoring-server.js';

const PHOTO = GOLDENS[0]?.photo ?? Buffer.alloc(0);

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
});

afterAll(() => runtime?.remove());

function start(environment: Record<string, string> = {}): ScoringProcess {
  const server = new ScoringProcess(runtime.app, environment);
  onTestFinished(() => server.kill());
  return server;
}

async function connectTo(server: ScoringProcess, key?: string): Promise<PredictClient> {
  const client = PredictClient.connect({ address: await server.address(), model: 'tiny', key });
  onTestFinished(() => client.close());
  return client;
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-scoring-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A copy of the model to spoil. */
async function copyOfModel(): Promise<string> {
  const directory = join(await temporaryDirectory(), 'model');
  await cp(MODEL_DIRECTORY, directory, { recursive: true });
  return directory;
}

/** Changes a golden output and the digest that the manifest has of it, as a conversion gone wrong would. */
async function spoilGolden(directory: string): Promise<string> {
  const file = (await readdir(join(directory, 'goldens'))).find((name) => name.endsWith('.output_alias.f32')) ?? '';
  const content = await readFile(join(directory, 'goldens', file));
  const before = createHash('sha256').update(content).digest('hex');
  content.writeFloatLE(content.readFloatLE(4) + 0.01, 4);
  await writeFile(join(directory, 'goldens', file), content);
  const manifest = join(directory, 'manifest.json');
  const after = createHash('sha256').update(content).digest('hex');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(before, after));
  return file.split('.')[0] ?? '';
}

describe('a server that cannot serve ends with a reason', () => {
  it('when the model answers something else than TensorFlow did', async () => {
    const directory = await copyOfModel();
    const photo = await spoilGolden(directory);
    const server = start({ MODEL_DIR: directory });
    expect(await server.exit).toBe(4);
    expect(server.lines.at(-1)).toMatchObject({ level: 60, exitCode: 4 });
    expect(server.lines.at(-1)?.msg).toMatch(
      new RegExp(`^self-check: golden goldens/${photo}.jpg: output_alias\\[1\\] is`),
    );
    expect(server.lines.map(({ msg }) => msg)).not.toContain('ready');
  });

  it('but not when the model says of itself that it may be so far off', async () => {
    const directory = await copyOfModel();
    await spoilGolden(directory);
    const manifest = join(directory, 'manifest.json');
    const parsed = ConvertedModelManifest.parse(JSON.parse(await readFile(manifest, 'utf8')));
    const outputs = parsed.outputs.map((output) => ({ ...output, tolerance: 0.01 }));
    await writeFile(manifest, JSON.stringify({ ...parsed, outputs }));
    const server = start({ MODEL_DIR: directory });
    expect(await server.line('self-check passed')).toMatchObject({
      maxAbsoluteDifference: expect.closeTo(0.01, 3) as number,
    });
  });

  it.each<[string, (directory: string) => Promise<void>, RegExp]>([
    [
      'its model is not the one in the manifest',
      (dir) => writeFile(join(dir, 'model.onnx'), 'x'),
      /^model: model\.onnx has/,
    ],
    ['there is no manifest', (dir) => rm(join(dir, 'manifest.json')), /^model: ENOENT.*manifest\.json/],
    [
      'the manifest is of another kind',
      (dir) => writeFile(join(dir, 'manifest.json'), '{}'),
      /^model: manifest\.json: format/,
    ],
  ])('when %s', async (_, spoil, reason) => {
    const directory = await copyOfModel();
    await spoil(directory);
    const server = start({ MODEL_DIR: directory });
    expect(await server.exit).toBe(3);
    expect(server.lines.at(-1)?.msg).toMatch(reason);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a port is no number', { GRPC_PORT: 'x' }, /GRPC_PORT/],
    ['the model has no name', { MODEL_NAME: '' }, /MODEL_NAME/],
    ['there are no keys where keys are wanted', { SCORING_KEYS_DIR: '/nonexistent' }, /^scoring keys: /],
  ])('when %s', async (_, environment, reason) => {
    const server = start(environment);
    expect(await server.exit).toBe(2);
    expect(server.lines.at(-1)?.msg).toMatch(reason);
  });
});

describe('health', () => {
  it('is ready only after the self-check, and knows no other path', async () => {
    const server = start();
    await server.line('ready');
    expect(server.lines.map(({ msg }) => msg)).toEqual([
      'health port open',
      'model found',
      'model loaded',
      'self-check passed',
      'ready',
    ]);
    expect(await server.health('/readyz')).toBe(200);
    expect(await server.health('/healthz')).toBe(200);
    expect(await server.health('/constructor')).toBe(404);
  });

  it('is alive and not ready before the model is loaded', async () => {
    const directory = await temporaryDirectory();
    // Nobody writes to this pipe, so the server never comes to the end of its manifest.
    await promisify(execFile)('mkfifo', [join(directory, 'manifest.json')]);
    const server = start({ MODEL_DIR: directory });
    expect(await server.health('/readyz')).toBe(503);
    expect(await server.health('/healthz')).toBe(200);
  });
});

/** Big images of one colour: one thread scores some 60 in a second, and 1024 are fewer bytes than a message may have. */
function bigImages(count: number): Buffer[] {
  const [width, height] = [2000, 1500];
  const pixels = Buffer.alloc(width * height * 3, 0x7f);
  const image = jpegTurbo.compressSync(pixels, { width, height, format: jpegTurbo.FORMAT_RGB, quality: 50 });
  return Array.from({ length: count }, () => image);
}

/** The value of a metric without labels. */
async function metric(server: ScoringProcess, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${await server.httpPort()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** For calls that are to take long, on a machine that may be busy with others. */
const PATIENCE_MS = 50_000;

/** Until the server has a call of more images than its threads can take at a time. */
const untilBusy = (server: ScoringProcess) =>
  expect.poll(() => metric(server, 'slipway_scoring_queued_images')).toBeGreaterThan(0);

describe('SIGTERM', () => {
  it('says GOAWAY, is no longer ready, finishes the call in flight and ends with 0', async () => {
    const server = start({ DRAIN_SECONDS: '50' });
    const client = await connectTo(server);
    const images = bigImages(256);
    const session = connect(`http://${await server.address()}`);
    session.on('error', () => undefined);
    const goaway = once(session, 'goaway');

    const inFlight = client.predict({ input: 'images', images, timeoutMs: PATIENCE_MS });
    await untilBusy(server);
    server.signal('SIGTERM');
    await server.line('draining');
    expect(await server.health('/readyz')).toBe(503);
    expect(await server.health('/healthz')).toBe(200);
    await goaway;
    expect((await inFlight).outputs.output_alias?.shape).toEqual([images.length, 5]);
    expect(await server.exit).toBe(0);
  });

  it('ends a server that is still starting, too', async () => {
    const server = start();
    await server.line('health port open');
    server.signal('SIGTERM');
    expect(await server.exit).toBe(0);
  });

  it('drops a call that does not finish in the drain time', async () => {
    const server = start({ DRAIN_SECONDS: '0.5' });
    const client = await connectTo(server);
    const inFlight = client.predict({ input: 'images', images: bigImages(1024), timeoutMs: PATIENCE_MS });
    const dropped = expect(inFlight).rejects.toMatchObject({ name: 'PredictError' });
    await untilBusy(server);
    server.signal('SIGTERM');
    expect(await server.exit).toBe(0);
    await dropped;
  });
});

describe('work whose caller has gone', () => {
  it.each<[string, (server: ScoringProcess, images: Buffer[]) => Promise<unknown>]>([
    [
      'over gRPC, by its deadline',
      async (server, images) => (await connectTo(server)).predict({ input: 'images', images, timeoutMs: 100 }),
    ],
    [
      'over REST, by closing its connection',
      async (server, images) =>
        fetch(`http://127.0.0.1:${await server.httpPort()}/v1/models/tiny:predict`, {
          method: 'POST',
          body: JSON.stringify({ instances: images.map((image) => ({ b64: image.toString('base64') })) }),
          signal: AbortSignal.timeout(100),
        }),
    ],
  ])('%s, is not done', async (_, score) => {
    const server = start();
    const client = await connectTo(server);
    const images = bigImages(256);
    const scored = await metric(server, 'slipway_scoring_batch_images_sum');
    const running = client.predict({ input: 'images', images, timeoutMs: PATIENCE_MS });
    await untilBusy(server);
    const waiting = await metric(server, 'slipway_scoring_queued_images');
    await expect(score(server, [PHOTO, PHOTO, PHOTO])).rejects.toThrow();
    await expect.poll(() => metric(server, 'slipway_scoring_queued_images')).toBeLessThanOrEqual(waiting);
    await running;
    expect(await metric(server, 'slipway_scoring_batch_images_sum')).toBe(scored + images.length);
  });
});

it('a full queue is refused over REST with the time after which to try again', async () => {
  const server = start({ MAX_QUEUED_IMAGES: '1' });
  const client = await connectTo(server);
  const running = client.predict({ input: 'images', images: bigImages(256), timeoutMs: PATIENCE_MS });
  await untilBusy(server);
  const response = await fetch(`http://127.0.0.1:${await server.httpPort()}/v1/models/tiny:predict`, {
    method: 'POST',
    body: JSON.stringify({ instances: [{ b64: PHOTO.toString('base64') }] }),
  });
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('1');
  await running;
});

it('a connection that grows too old is replaced without a failed call', async () => {
  const server = start({ MAX_CONNECTION_AGE_SECONDS: '0.3' });
  const client = await connectTo(server);
  const session = connect(`http://${await server.address()}`);
  session.on('error', () => undefined);
  const goaway = once(session, 'goaway');
  for (let call = 0; call < 20; call++) {
    await client.predict({ input: 'images', images: [PHOTO] });
    await sleep(50);
  }
  await goaway;
  session.close();
});

it('a connection of REST that grows too old is closed with an answer', async () => {
  const server = start({ MAX_CONNECTION_AGE_SECONDS: '0.3' });
  await server.address();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = async () => {
    const request = get({ agent, port: await server.httpPort(), path: '/v1/models/tiny' });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return { status: response.statusCode, connection: response.headers.connection };
  };
  expect(await ask()).toEqual({ status: 200, connection: 'keep-alive' });
  await expect.poll(ask).toEqual({ status: 200, connection: 'close' });
  expect(await ask()).toEqual({ status: 200, connection: 'keep-alive' });
});

describe('with scoring keys', () => {
  it('either key opens, no other does, and a rotated key counts without a restart', async () => {
    const keys = await temporaryDirectory();
    await writeFile(join(keys, 'primary'), 'first-key\n');
    await writeFile(join(keys, 'secondary'), 'second-key');
    const server = start({ SCORING_KEYS_DIR: keys });
    const score = async (key?: string) => {
      const client = await connectTo(server, key);
      return client.predict({ input: 'images', images: [PHOTO] }).then(
        () => 'OK',
        (error: { code: string }) => error.code,
      );
    };
    expect(await score('first-key')).toBe('OK');
    expect(await score('second-key')).toBe('OK');
    for (const key of [undefined, '', 'first', 'first-key-and-more']) expect(await score(key)).toBe('UNAUTHENTICATED');
    const client = await connectTo(server);
    await expect(client.metadata()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

    await writeFile(join(keys, 'primary'), 'third-key');
    await expect.poll(() => score('third-key'), { timeout: 5_000 }).toBe('OK');
    expect(await score('first-key')).toBe('UNAUTHENTICATED');
    expect(JSON.stringify(server.lines)).not.toMatch(/(first|second|third)-key/);
  });
});

it('the runtime is the same, byte for byte, whenever it is bundled', async () => {
  const again = await bundleScoringRuntime();
  onTestFinished(() => again.remove());
  expect(await digestsIn(again.app)).toEqual(await digestsIn(runtime.app));
});

async function digestsIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests = files.map(async (file) => {
    const digest = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    return `${file.slice(directory.length)} ${digest}`;
  });
  return (await Promise.all(digests)).sort();
}
