import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import { decodeJpeg, ImageError, type Pixels } from './jpeg.js';

/** What a run of the model gives for one output: `shape[0]` rows, as little-endian bytes in row-major order. */
export interface OutputRows {
  name: string;
  shape: number[];
  bytes: Uint8Array<ArrayBuffer>;
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

/**
 * A converted model in memory: JPEG decoding, preprocessing and the network. onnxruntime-node computes on the calling
 * JavaScript thread, so this lives in an inference thread.
 */
export class ImageModel {
  private constructor(
    private readonly manifest: ConvertedModelManifest,
    private readonly network: InferenceSession,
    private readonly preprocessing: InferenceSession | undefined,
  ) {}

  /** @throws Error when a model cannot be loaded or does not have the inputs and outputs that the manifest names */
  static async load(directory: string, manifest: ConvertedModelManifest, intraOpThreads: number): Promise<ImageModel> {
    const open = async (file: string, input: string, outputs: string[]) => {
      const session = await InferenceSession.create(join(directory, file), {
        intraOpNumThreads: intraOpThreads,
        interOpNumThreads: 1,
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
    const preprocessing = preprocess && (await open(preprocess.file, preprocess.input, [preprocess.output]));
    return new ImageModel(manifest, network, preprocessing);
  }

  /**
   * Scores at least one image in one run of the network.
   *
   * @throws RejectedImage when an image cannot be decoded or does not fit the model
   */
  async run(images: Uint8Array[]): Promise<OutputRows[]> {
    const rows: Tensor[] = [];
    for (const [index, image] of images.entries()) rows.push(await this.prepare(image, index));
    const outputs = await this.network.run({ [this.manifest.model.input]: stack(rows) });
    return this.manifest.outputs.map(({ name, onnx }) => {
      const output = outputs[onnx];
      if (!output) throw new Error(`the model gave no ${onnx}`);
      if (output.dims[0] !== images.length)
        throw new Error(`${onnx} has ${output.dims[0]} rows for ${images.length} images`);
      return { name, shape: [...output.dims], bytes: bytesOf(output).slice() };
    });
  }

  private async prepare(image: Uint8Array, index: number): Promise<Tensor> {
    const pixels = decodeAt(image, index);
    const decoded = new Tensor('uint8', pixels.data, [pixels.height, pixels.width, 3]);
    if (!this.preprocessing || !this.manifest.preprocess) return decoded;
    const { input, output } = this.manifest.preprocess;
    const prepared = (await this.preprocessing.run({ [input]: decoded }))[output];
    if (!prepared) throw new Error(`preprocessing gave no ${output}`);
    return prepared;
  }
}

function decodeAt(image: Uint8Array, index: number): Pixels {
  try {
    return decodeJpeg(image);
  } catch (error) {
    if (error instanceof ImageError) throw new RejectedImage(index, error.message);
    throw error;
  }
}

/** Puts images of one shape together as `[rows, …shape]`. */
function stack(rows: Tensor[]): Tensor {
  const first = rows[0];
  if (!first) throw new Error('a run needs at least one image');
  const differs = rows.findIndex((row) => row.dims.join() !== first.dims.join());
  if (differs >= 0) {
    const [here, there] = [rows[differs]?.dims, first.dims].map((dims) => `[${dims?.join(', ')}]`);
    throw new RejectedImage(differs, `the model takes images of one size: this one is ${here}, another ${there}.`);
  }
  const rowBytes = bytesOf(first).byteLength;
  const all = new Uint8Array(rowBytes * rows.length);
  rows.forEach((row, index) => all.set(bytesOf(row), index * rowBytes));
  return tensorOf(first.type, all.buffer, [rows.length, ...first.dims]);
}

function tensorOf(type: Tensor.Type, buffer: ArrayBuffer, dims: number[]): Tensor {
  if (type === 'float32') return new Tensor(type, new Float32Array(buffer), dims);
  if (type === 'uint8') return new Tensor(type, new Uint8Array(buffer), dims);
  throw new Error(`preprocessing gives ${type}, expected float32 or uint8`);
}

/** The tensor's own memory: onnxruntime keeps numbers in the byte order of the CPU, which is little-endian wherever Node runs. */
function bytesOf(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (Array.isArray(data)) throw new Error(`a tensor of ${tensor.type} has no bytes`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
