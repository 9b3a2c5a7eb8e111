import { ImageError } from './pixels.js';

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** Samples of a pixel by colour type (PNG, 11.2.2), and how many bits a sample may have. */
const COLOUR_TYPES: Partial<Record<number, { channels: number; depths: number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

/** What the chunks of a PNG say, its compressed samples not yet read. */
export interface Png {
  width: number;
  height: number;
  depth: number;
  channels: number;
  interlaced: boolean;
  /** Where the samples are indexes: three bytes for each. */
  palette: Buffer | undefined;
  compressed: Buffer[];
}

/** @throws ImageError when the chunks are not those of a whole PNG */
export function readPng(bytes: Buffer): Png {
  let png: Png | undefined;
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'IHDR') png = readHeader(data);
    if (!png) throw invalid('it does not begin with its header');
    if (type === 'PLTE') png.palette = data;
    if (type === 'IDAT') png.compressed.push(data);
    if (type === 'IEND') return png;
  }
  throw invalid('it ends before its end chunk');
}

export const invalid = (reason: string) => new ImageError(`Invalid PNG data: ${reason}.`);

function* chunksOf(bytes: Buffer): Generator<{ type: string; data: Buffer }> {
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) return;
    yield { type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, end) };
    // The checksum is passed over: the samples have one of their own.
    at = end + 4;
  }
}

function readHeader(data: Buffer): Png {
  if (data.length !== 13) throw invalid('its header is of another length');
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8);
  const type = COLOUR_TYPES[colour];
  if (!type?.depths.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw invalid(`colour type ${colour} with ${depth} bits is unknown`);
  }
  return {
    width: data.readUInt32BE(0),
    height: data.readUInt32BE(4),
    depth,
    channels: type.channels,
    interlaced: interlace === 1,
    palette: colour === 3 ? Buffer.alloc(0) : undefined,
    compressed: [],
  };
}
