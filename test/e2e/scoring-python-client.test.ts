import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { home } from '../../src/cli/local/home.js';
import { selfSigned } from '../fixtures/azure-wire/certificate.js';
import { bundleScoringRuntime, MODEL_DIRECTORY, ScoringProcess } from '../fixtures/scoring-server.js';

const CLIENT = fileURLToPath(new URL('../fixtures/serving_client.py', import.meta.url));

/** TensorFlow's numbers for DT_STRING and DT_FLOAT, ModelVersionStatus.AVAILABLE and error OK. */
const [STRING, FLOAT, AVAILABLE, OK] = [7, 1, 30, 0];

interface ClientAnswer {
  expected: number[][];
  predicted: number[][];
  alone: number[][];
  signature: Record<string, number>;
  state: number[][];
  refusal: string[];
}

let runtime: Awaited<ReturnType<typeof bundleScoringRuntime>>;

beforeAll(async () => {
  runtime = await bundleScoringRuntime();
});

afterAll(() => runtime?.remove());

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-python-client-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs the official stubs; TensorFlow, which they import, is in the conversion's environment. */
async function callFromPython(task: object): Promise<ClientAnswer> {
  const stubs = home('python', 'serving-api');
  if (!existsSync(stubs)) throw new Error(`${stubs} is missing: run \`npm test\` once, which sets it up`);
  const child = spawn(home('python', 'conversion', 'bin', 'python'), [CLIENT], {
    env: { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: '1' },
  });
  child.stdin.end(JSON.stringify(task));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  // TensorFlow writes there however well it is.
  if (output === '') throw new Error(errors);
  // The script writes this object.
  return JSON.parse(output) as ClientAnswer;
}

async function photos(): Promise<string[]> {
  const goldens = (await readdir(join(MODEL_DIRECTORY, 'goldens'))).filter((file) => file.endsWith('.jpg'));
  const samples = ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg'].map((name) =>
    fileURLToPath(new URL(`../../samples/photos/${name}`, import.meta.url)),
  );
  return [...goldens.map((file) => join(MODEL_DIRECTORY, 'goldens', file)), ...samples];
}

it.each(['plain', 'TLS'])(
  "TensorFlow Serving's own Python stubs get TensorFlow's answers over %s",
  async (transport) => {
    const directory = await temporaryDirectory();
    const file = async (name: string, content: string) => {
      await writeFile(join(directory, name), content);
      return join(directory, name);
    };
    const { cert, key } = await selfSigned();
    await file('primary', 'the-key');
    const ca = await file('tls.crt', cert);
    const tls = { TLS_CERT_FILE: ca, TLS_KEY_FILE: await file('tls.key', key), HTTPS_PORT: '0' };
    const server = new ScoringProcess(runtime.app, {
      SCORING_KEYS_DIR: directory,
      ...(transport === 'TLS' ? tls : {}),
    });
    onTestFinished(() => server.kill());
    const answer = await callFromPython({
      address: await server.address(),
      ca: transport === 'TLS' ? ca : null,
      key: 'the-key',
      model: 'tiny',
      photos: await photos(),
      network: join(MODEL_DIRECTORY, 'model.onnx'),
    });

    expect(answer.expected).toHaveLength(6);
    const close = (rows: number[][]) => rows.map((row) => row.map((value): unknown => expect.closeTo(value, 5)));
    expect(answer.predicted).toEqual(close(answer.expected));
    expect(answer.alone).toEqual(close(answer.expected.slice(0, 1)));
    expect(answer.signature).toEqual({ images: STRING, logits: FLOAT, output_alias: FLOAT });
    expect(answer.state).toEqual([[3, AVAILABLE, OK]]);
    expect(answer.refusal).toEqual([
      'INVALID_ARGUMENT',
      'images[0]: Unknown image file format. One of JPEG, PNG is required.',
    ]);
  },
);
