import { join } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';

import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { Batch } from './batch.js';
import { ImageDecoder } from './image-decoder.js';
import { ImageSampler } from './image-sampler.js';
import { bytesOf, concatenateRows, inputTensor } from './onnx-tensors.js';
import { ImageError } from './pixels.js';
import { GraphPreprocessing, SampledPreprocessing, type Preprocessing } from './preprocessing.js';
import type { ThreadData } from './thread-messages.js';

/** What a run of the model gives for one output: `shape[0]` rows, as little-endian bytes in row-major order. */
export interface OutputRows {
  name: string;
  shape: number[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** Milliseconds that a run spent in each stage. */
export interface StageTimes {
  decode: number;
  preprocess: number;
  inference: number;
}

/** An image of a run that cannot be scored; `index` counts within the run. */
export class RejectedImage extends Error {
  override readonly name = 'RejectedImage';

  constructor(
    readonly index: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** Photos have all sizes: what the runtime keeps for the next run would be of the largest, and a plan of each size. */
const ANY_SIZE: InferenceSession.SessionOptions = { enableCpuMemArena: false, enableMemPattern: false };

/**
 * A converted model in memory: JPEG decoding, preprocessing and the network. onnxruntime-node computes on the calling
 * JavaScript thread, so this lives in an inference thread.
 */
export class ImageModel {
  private readonly decoder: ImageDecoder;

  private constructor(
    private readonly manifest: ConvertedModelManifest,
    private readonly network: InferenceSession,
    private readonly preprocessing: Preprocessing,
    maxPixels: number,
  ) {
    this.decoder = new ImageDecoder({ maxPixels, reuseMemory: preprocessing.copies });
  }

  /** @throws Error when a model cannot be loaded or does not have the inputs and outputs that the manifest names */
  static async load({ directory, manifest, intraOpThreads, maxPixels }: ThreadData): Promise<ImageModel> {
    const options = { intraOpNumThreads: intraOpThreads, interOpNumThreads: 1 };
    const { model, outputs } = manifest;
    const names = { inputs: [model.input], outputs: outputs.map((output) => output.onnx) };
    const network = await open(directory, model.file, names, options);
    return new ImageModel(manifest, network, await preprocessingOf(manifest, directory, options), maxPixels);
  }

  /**
   * Scores at least one image in one run of the network.
   *
   * @throws RejectedImage when an image cannot be decoded or does not fit the model
   */
  async run(batch: Batch): Promise<{ outputs: OutputRows[]; times: StageTimes }> {
    const times = { decode: 0, preprocess: 0, inference: 0 };
    const input = batch.shape ? this.tensorsOf(batch.rows, batch.shape) : await this.prepare(batch.rows, times);
    const started = performance.now();
    const results = await this.network.run({ [this.manifest.model.input]: input });
    times.inference = performance.now() - started;
    const outputs = this.manifest.outputs.map(({ name, onnx }) => {
      const output = results[onnx];
      if (!output) throw new Error(`the model gave no ${onnx}`);
      const count = batch.rows.length;
      if (output.dims[0] !== count) throw new Error(`${onnx} has ${output.dims[0]} rows for ${count} images`);
      return { name, shape: [...output.dims], bytes: bytesOf(output).slice() };
    });
    return { outputs, times };
  }

  private tensorsOf(rows: Uint8Array[], shape: readonly number[]): Tensor {
    const dtype = this.manifest.inputs[0]?.dtype;
    return inputTensor(dtype === 'DT_UINT8' ? 'uint8' : 'float32', concatenateRows(rows), [rows.length, ...shape]);
  }

  private async prepare(images: Uint8Array[], times: StageTimes): Promise<Tensor> {
    const input = this.preprocessing.begin(images.length);
    for (const [index, image] of images.entries()) {
      try {
        const started = performance.now();
        const photo = this.decoder.decode(image);
        const decoded = performance.now();
        await input.add(photo);
        times.decode += decoded - started;
        times.preprocess += performance.now() - decoded;
      } catch (error) {
        if (error instanceof ImageError) throw new RejectedImage(index, error.message);
        throw error;
      }
    }
    return input.tensor();
  }
}

async function preprocessingOf(
  { preprocess }: ConvertedModelManifest,
  directory: string,
  options: InferenceSession.SessionOptions,
): Promise<Preprocessing> {
  if (!preprocess) return new GraphPreprocessing();
  const { file, input, output, sampling } = preprocess;
  if (sampling) return new SampledPreprocessing(await ImageSampler.load(directory, sampling, options));
  const names = { inputs: [input], outputs: [output] };
  return new GraphPreprocessing({
    session: await open(directory, file, names, { ...options, ...ANY_SIZE }),
    input,
    output,
  });
}

async function open(
  directory: string,
  file: string,
  names: { inputs: string[]; outputs: string[] },
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const session = await InferenceSession.create(join(directory, file), options);
  const missing = [
    ...names.inputs.filter((name) => !session.inputNames.includes(name)),
    ...names.outputs.filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length > 0) throw new Error(`${file} has no input or output ${missing.join(', ')}`);
  return session;
}
