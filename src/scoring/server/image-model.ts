import { join } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';

import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { Batch } from './batch.js';
import { ImageDecoder } from './image-decoder.js';
import { bytesOf, concatenateRows, inputTensor, stackRows } from './onnx-tensors.js';
import { ImageError, type Pixels } from './pixels.js';
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
    private readonly preprocessing: InferenceSession | undefined,
    maxPixels: number,
  ) {
    // Without preprocessing, decoded images are the network's input and live until all of the run are decoded.
    this.decoder = new ImageDecoder({ maxPixels, reuseMemory: preprocessing !== undefined });
  }

  /** @throws Error when a model cannot be loaded or does not have the inputs and outputs that the manifest names */
  static async load({ directory, manifest, intraOpThreads, maxPixels }: ThreadData): Promise<ImageModel> {
    const open = async (file: string, input: string, outputs: string[], options?: InferenceSession.SessionOptions) => {
      const session = await InferenceSession.create(join(directory, file), {
        intraOpNumThreads: intraOpThreads,
        interOpNumThreads: 1,
        ...options,
      });
      const missing = [
        ...[input].filter((name) => !session.inputNames.includes(name)),
        ...outputs.filter((name) => !session.outputNames.includes(name)),
      ];
      if (missing.length > 0) throw new Error(`${file} has no input or output ${missing.join(', ')}`);
      return session;
    };
    const { model, preprocess, outputs } = manifest;
    const network = await open(
      model.file,
      model.input,
      outputs.map((output) => output.onnx),
    );
    const preprocessing = preprocess && (await open(preprocess.file, preprocess.input, [preprocess.output], ANY_SIZE));
    return new ImageModel(manifest, network, preprocessing, maxPixels);
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
    const rows: Tensor[] = [];
    for (const [index, image] of images.entries()) {
      const started = performance.now();
      const pixels = this.decode(image, index);
      const decoded = performance.now();
      rows.push(await this.preprocess(pixels));
      times.decode += decoded - started;
      times.preprocess += performance.now() - decoded;
    }
    const differs = rows.findIndex((row) => row.dims.join() !== rows[0]?.dims.join());
    if (differs >= 0) {
      const [here, there] = [rows[differs], rows[0]].map((row) => `[${row?.dims.join(', ')}]`);
      throw new RejectedImage(differs, `the model takes images of one size: this one is ${here}, another ${there}.`);
    }
    return stackRows(rows);
  }

  private decode(image: Uint8Array, index: number): Pixels {
    try {
      return this.decoder.decode(image);
    } catch (error) {
      if (error instanceof ImageError) throw new RejectedImage(index, error.message);
      throw error;
    }
  }

  private async preprocess({ data, width, height }: Pixels): Promise<Tensor> {
    const decoded = inputTensor('uint8', data, [height, width, 3]);
    if (!this.preprocessing || !this.manifest.preprocess) return decoded;
    const { input, output } = this.manifest.preprocess;
    const prepared = (await this.preprocessing.run({ [input]: decoded }))[output];
    if (!prepared) throw new Error(`preprocessing gave no ${output}`);
    return prepared;
  }
}
