import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { Sampling } from '../../deployment/converted-model.js';
import { MAX_KEPT_GEOMETRIES } from './limits.js';
import { ImageError, type Pixels } from './pixels.js';
import { neighbours, type Neighbours } from './sampling-axis.js';

/** Where the values of an image are in photos of one size. */
interface Geometry {
  rows: Neighbours;
  columns: Neighbours;
}

/** Takes the values of the network's image from a decoded photo: only these are computed, whatever the photo's size. */
export class ImageSampler {
  /** By height and width, the one used last at the end. */
  private readonly geometries = new Map<string, Geometry>();

  private constructor(
    private readonly sampling: Sampling,
    private readonly geometry: InferenceSession,
  ) {}

  /** @throws Error when the graph that computes sizes cannot be loaded */
  static async load(
    directory: string,
    sampling: Sampling,
    options: InferenceSession.SessionOptions,
  ): Promise<ImageSampler> {
    return new ImageSampler(sampling, await InferenceSession.create(join(directory, sampling.geometry.file), options));
  }

  /** Height, width and channels of an image. */
  get shape(): [number, number, number] {
    const [height, width] = this.sampling.size;
    return [height, width, 3];
  }

  /**
   * @param image float32 of {@link shape}, is written
   * @throws ImageError when the photo does not cover the image
   */
  async sample(photo: Pixels, image: Float32Array): Promise<void> {
    interpolate(photo.data, await this.geometryOf(photo), this.sampling, image);
  }

  private async geometryOf({ height, width }: Pixels): Promise<Geometry> {
    const key = `${height}x${width}`;
    const geometry = this.geometries.get(key) ?? (await this.compute(height, width));
    this.geometries.delete(key);
    this.geometries.set(key, geometry);
    for (const oldest of this.geometries.keys()) {
      if (this.geometries.size <= MAX_KEPT_GEOMETRIES) break;
      this.geometries.delete(oldest);
    }
    return geometry;
  }

  private async compute(height: number, width: number): Promise<Geometry> {
    const shape = new Tensor('int64', BigInt64Array.from([height, width, 3].map(BigInt)), [3]);
    const { resized, corner } = await this.geometry.run({ shape });
    const [[resizedHeight, resizedWidth], [top, left]] = [pair(resized), pair(corner)];
    const [rows, columns] = this.sampling.size;
    if (top < 0 || left < 0 || top + rows > resizedHeight || left + columns > resizedWidth) {
      throw new ImageError(
        `${width}x${height} becomes ${resizedWidth}x${resizedHeight}, of which the model takes ${columns}x${rows} at ${left},${top}.`,
      );
    }
    const { coordinates } = this.sampling;
    return {
      rows: neighbours(coordinates, {
        photo: height,
        resized: resizedHeight,
        first: top,
        count: rows,
        stride: width * 3,
      }),
      columns: neighbours(coordinates, {
        photo: width,
        resized: resizedWidth,
        first: left,
        count: columns,
        stride: 3,
      }),
    };
  }
}

function pair(tensor: Tensor | undefined): [number, number] {
  if (!(tensor?.data instanceof BigInt64Array)) throw new Error('the geometry graph gave no whole numbers');
  const [first = 0n, second = 0n] = tensor.data;
  return [Number(first), Number(second)];
}

function interpolate(data: Uint8Array, { rows, columns }: Geometry, sampling: Sampling, image: Float32Array): void {
  const [red, green, blue] = sampling.channels;
  const [redScale, greenScale, blueScale] = sampling.scale;
  const [redOffset, greenOffset, blueOffset] = sampling.offset;
  const { first, second, weight } = columns;
  let out = 0;
  // No place is outside of its array: `?? 0` is for the compiler, and costs nothing.
  for (let row = 0; row < rows.first.length; row++) {
    const above = rows.first[row] ?? 0;
    const below = rows.second[row] ?? 0;
    const down = rows.weight[row] ?? 0;
    for (let column = 0; column < first.length; column++) {
      const left = first[column] ?? 0;
      const right = second[column] ?? 0;
      const across = weight[column] ?? 0;
      const a = above + left;
      const b = above + right;
      const c = below + left;
      const d = below + right;
      image[out] = mix(data, a + red, b + red, c + red, d + red, across, down) * redScale + redOffset;
      image[out + 1] = mix(data, a + green, b + green, c + green, d + green, across, down) * greenScale + greenOffset;
      image[out + 2] = mix(data, a + blue, b + blue, c + blue, d + blue, across, down) * blueScale + blueOffset;
      out += 3;
    }
  }
}

/** Between two pixels above and two below. */
function mix(data: Uint8Array, a: number, b: number, c: number, d: number, across: number, down: number): number {
  const topLeft = data[a] ?? 0;
  const bottomLeft = data[c] ?? 0;
  const top = topLeft + ((data[b] ?? 0) - topLeft) * across;
  const bottom = bottomLeft + ((data[d] ?? 0) - bottomLeft) * across;
  return top + (bottom - top) * down;
}
