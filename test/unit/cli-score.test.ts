import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { main } from '../../src/cli/main.js';
import { Authority } from '../fixtures/authority.js';
import { GOLDENS } from '../fixtures/scoring-goldens.js';
import { bundleScoringRuntime, ScoringProcess } from '../fixtures/scoring-server.js';
import { makeTensorModel, type TensorModel } from '../fixtures/tensor-model.js';
import png from '../fixtures/png/images.json' with { type: 'json' };

const NAME = 'scoring.example.com';

let directory: string;
let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;
let authority: Authority;
let stranger: Authority;
let tensorModel: TensorModel;
let servers: Record<'plain' | 'keyed' | 'mutual' | 'tensors', ScoringProcess>;

const file = (name: string) => path.join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-score-'));
  [runtime, authority, stranger, tensorModel] = await Promise.all([
    bundleScoringRuntime(),
    Authority.create(),
    Authority.create(),
    makeTensorModel('DT_FLOAT'),
  ]);
  const [own, foreign] = await Promise.all([authority.issue([NAME]), stranger.issue(['client'])]);
  const files = {
    'golden.jpg': GOLDENS[0]?.photo ?? '',
    'drawing.png': Buffer.from(png.images['RGB, a gamma'].png, 'base64'),
    'drawing.gif': 'GIF89a',
    'ca.pem': authority.pem,
    'stranger.pem': stranger.pem,
    'tls.crt': own.cert,
    'tls.key': own.key,
    'client.crt': foreign.cert,
    'client.key': foreign.key,
    primary: 'the-key',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(file(name), content);
  const tls = { HTTPS_PORT: '0', TLS_CERT_FILE: file('tls.crt'), TLS_KEY_FILE: file('tls.key') };
  servers = {
    plain: new ScoringProcess(runtime.app),
    keyed: new ScoringProcess(runtime.app, { ...tls, SCORING_KEYS_DIR: directory }),
    mutual: new ScoringProcess(runtime.app, { ...tls, TLS_CLIENT_CA_FILE: file('stranger.pem') }),
    tensors: new ScoringProcess(runtime.app, { MODEL_DIR: tensorModel.directory }),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(servers ?? {}).map((server) => server.kill()));
  await Promise.all([runtime?.remove(), tensorModel?.remove(), rm(directory, { recursive: true, force: true })]);
});
afterEach(() => vi.restoreAllMocks());

/** Runs `slipway score tiny PHOTO` in this process. */
async function score(options: readonly string[], photos = ['golden.jpg']) {
  const said = { out: '', err: '' };
  const keep = (stream: keyof typeof said) => (chunk: unknown) => {
    said[stream] += String(chunk);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'));
  // The test runner may ask for colours.
  vi.stubEnv('NO_COLOR', '1');
  const exitCode = await main(['score', 'tiny', ...photos.map(file), ...options]);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  return { exitCode, ...said };
}

const url = async (server: keyof typeof servers, scheme = 'grpcs') => `${scheme}://${await servers[server].address()}`;
const trusted = () => ['--ca', file('ca.pem'), '--server-name', NAME];

describe('slipway score at a URL', () => {
  it('prints the best classes of several photos, PNGs among them', async () => {
    const { exitCode, out } = await score(
      ['--url', await url('plain', 'grpc'), '--top', '2'],
      ['golden.jpg', 'drawing.png'],
    );
    expect({ exitCode, lines: out.trimEnd().split('\n') }).toEqual({
      exitCode: 0,
      lines: [
        'golden.jpg',
        ...Array<unknown>(2).fill(expect.stringMatching(/^ +-?[\d.]+ % /)),
        'drawing.png',
        ...Array<unknown>(2).fill(expect.stringMatching(/^ +-?[\d.]+ % /)),
      ],
    });
  });

  it('prints them as one document', async () => {
    const { exitCode, out } = await score(['--url', await url('plain', 'grpc'), '--json']);
    expect(exitCode).toBe(0);
    const [photo] = JSON.parse(out) as {
      image: string;
      classes: { index: number; label: string; confidence: number }[];
    }[];
    expect(photo).toMatchObject({ image: 'golden.jpg' });
    const confidences = photo?.classes.map(({ confidence }) => confidence) ?? [];
    expect(confidences).toHaveLength(5);
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
  });

  it.each<[string, keyof typeof servers, () => string[]]>([
    ['its key and authority', 'keyed', () => [...trusted(), '--key', 'the-key']],
    [
      'a client certificate',
      'mutual',
      () => [...trusted(), '--cert', file('client.crt'), '--cert-key', file('client.key')],
    ],
  ])('opens a service with %s', async (_, server, options) => {
    const { exitCode, err } = await score(['--url', await url(server), ...options()]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  });

  it.each<[string, keyof typeof servers, string, () => string[], RegExp]>([
    ['no key', 'keyed', 'grpcs', trusted, /KeyRefused · .*asks for a key[^]*fix: .*--key/],
    ['another key', 'keyed', 'grpcs', () => [...trusted(), '--key', 'x'], /KeyRefused · .*does not know that key/],
    ['plain to TLS', 'keyed', 'grpc', () => [], /TlsExpected · .*the server speaks TLS[^]*fix: .*grpcs:/],
    ['TLS to plain', 'plain', 'grpcs', () => [], /TlsNotSpoken · [^]*fix: .*grpc:/],
    [
      'a public authority',
      'keyed',
      'grpcs',
      () => ['--server-name', NAME],
      /CertificateNotTrusted · [^]*fix: .*--ca FILE/,
    ],
    [
      'another name',
      'keyed',
      'grpcs',
      () => ['--ca', file('ca.pem')],
      /CertificateOfAnotherName · .*scoring\.example\.com[^]*--server-name/,
    ],
    [
      'no client certificate',
      'mutual',
      'grpcs',
      trusted,
      /ClientCertificateRefused · .*asks for a client certificate[^]*--cert FILE/,
    ],
    [
      'another model',
      'plain',
      'grpc',
      () => ['--model', 'other'],
      /ScoringRefused · NOT_FOUND: Servable not found[^]*--model NAME/,
    ],
    [
      'a model of tensors',
      'tensors',
      'grpc',
      () => [],
      /TakesNoPhotos · .*DT_FLOAT of shape \[-1, 4, 4, 3\][^]*fix: Decode and resize/,
    ],
  ])('refuses %s by its name, with what to do', async (_, server, scheme, options, words) => {
    const { exitCode, out, err } = await score(['--url', await url(server, scheme), ...options()]);
    expect({ exitCode, out, err }).toEqual({ exitCode: 3, out: '', err: expect.stringMatching(words) as string });
    expect(err).not.toMatch(/^ {4}at /m);
  });

  it.each([
    ['a GIF', ['drawing.gif'], [], 3, /NotAPhoto · .*drawing\.gif is neither a JPEG nor a PNG: it is a GIF/],
    ['a URL of another kind', ['golden.jpg'], ['--url', 'http://x:1'], 1, /grpc:\/\/HOST:PORT/],
    ['a certificate without its key', ['golden.jpg'], ['--cert', 'x'], 1, /--cert-key/],
    [
      'both a URL and an address',
      ['golden.jpg'],
      ['--url', 'grpc://x:1', '--address', 'x:1'],
      1,
      /cannot be used with/,
    ],
  ])('refuses %s before anyone is asked', async (_, photos, options, code, words) => {
    const { exitCode, out, err } = await score(options, photos);
    expect({ exitCode, out, err }).toEqual({ exitCode: code, out: '', err: expect.stringMatching(words) as string });
  });

  it('refuses a certificate whose key is another one', async () => {
    const options = ['--url', 'grpcs://x:1', '--cert', file('client.crt'), '--cert-key', file('tls.key')];
    const { exitCode, err } = await score(options);
    expect({ exitCode, err }).toEqual({
      exitCode: 3,
      err: expect.stringMatching(/ClientCertificateUnusable · /) as string,
    });
  });
});
