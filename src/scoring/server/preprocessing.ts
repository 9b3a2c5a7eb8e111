import { Tensor, type InferenceSession } from 'onnxruntime-node';

import type { ImageSampler } from './image-sampler.js';
import { inputTensor, stackRows } from './onnx-tensors.js';
import { ImageError, type Pixels } from './pixels.js';

/** Makes the network's input of decoded photos, one run of the network after the other. */
export interface Preprocessing {
  /** Whether a photo's pixels may be overwritten once it was added. */
  readonly copies: boolean;
  /** @param count photos of the run */
  begin(count: number): InputRows;
}

/** The network's input of one run while it is made. */
export interface InputRows {
  /** @throws ImageError when the photo does not fit the model, or the others */
  add(photo: Pixels): Promise<void>;
  /** `[count, …image]`, of all photos that were added. */
  tensor(): Tensor;
}

/** Takes the values of each image from its photo, into memory that is kept for the next run. */
export class SampledPreprocessing implements Preprocessing {
  readonly copies = true;
  private memory = new Float32Array();

  constructor(private readonly sampler: ImageSampler) {}

  begin(count: number): InputRows {
    const { shape } = this.sampler;
    const values = shape.reduce((product, size) => product * size);
    if (this.memory.length < count * values) this.memory = new Float32Array(count * values);
    const input = this.memory.subarray(0, count * values);
    let added = 0;
    return {
      add: async (photo) => {
        await this.sampler.sample(photo, input.subarray(added * values, (added + 1) * values));
        added++;
      },
      tensor: () => new Tensor('float32', input, [count, ...shape]),
    };
  }
}

/** Makes an image of a photo's pixels: a graph of the model does, or nothing is to be done. */
export class GraphPreprocessing implements Preprocessing {
  readonly copies: boolean;

  /** @param graph gives one image, and the names of its input and output; without it photos are images */
  constructor(private readonly graph?: { session: InferenceSession; input: string; output: string }) {
    this.copies = graph !== undefined;
  }

  begin(): InputRows {
    const rows: Tensor[] = [];
    return {
      add: async (photo) => {
        const row = await this.imageOf(photo);
        requireSameSize(row, rows[0] ?? row);
        rows.push(row);
      },
      tensor: () => stackRows(rows),
    };
  }

  private async imageOf({ data, width, height }: Pixels): Promise<Tensor> {
    const pixels = inputTensor('uint8', data, [height, width, 3]);
    if (!this.graph) return pixels;
    const { session, input, output } = this.graph;
    const image = (await session.run({ [input]: pixels }))[output];
    if (!image) throw new Error(`preprocessing gave no ${output}`);
    return image;
  }
}

function requireSameSize({ dims }: Tensor, { dims: others }: Tensor): void {
  if (dims.join() === others.join()) return;
  throw new ImageError(
    `the model takes images of one size: this one is [${dims.join(', ')}], another [${others.join(', ')}].`,
  );
}
