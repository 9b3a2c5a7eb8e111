import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { selfSigned } from '../fixtures/azure-wire/certificate.js';
import { bundleScoringRuntime, MODEL_DIRECTORY, ScoringProcess } from '../fixtures/scoring-server.js';
import { agreeing, callFromPython } from '../fixtures/serving-client.js';

/** TensorFlow's numbers for DT_STRING and DT_FLOAT, ModelVersionStatus.AVAILABLE and error OK. */
const [STRING, FLOAT, AVAILABLE, OK] = [7, 1, 30, 0];

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
      ...(transport === 'TLS' ? { ca } : {}),
      key: 'the-key',
      model: 'tiny',
      photos: await photos(),
      network: join(MODEL_DIRECTORY, 'model.onnx'),
    });

    expect(answer.expected).toHaveLength(6);
    expect(answer.predicted).toEqual(agreeing(answer.expected));
    expect(answer.alone).toEqual(agreeing(answer.expected.slice(0, 1)));
    expect(answer.signature).toEqual({ images: STRING, logits: FLOAT, output_alias: FLOAT });
    expect(answer.state).toEqual([[3, AVAILABLE, OK]]);
    expect(answer.refusal).toEqual([
      'INVALID_ARGUMENT',
      'images[0]: Unknown image file format. One of JPEG, PNG is required.',
    ]);
  },
);
