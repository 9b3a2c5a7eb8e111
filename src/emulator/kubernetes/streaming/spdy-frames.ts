/** Frames of SPDY/3.1: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/, section 2.2. */
export type Frame =
  | { kind: 'data'; streamId: number; fin: boolean; data: Buffer }
  | { kind: 'control'; type: number; fin: boolean; body: Buffer };

/** The control frames that mean something between Kubernetes and its clients. */
export const controlType = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, headers: 8 } as const;

/** Why a stream is reset: section 2.6.3. */
export const resetStatus = { protocolError: 1, cancel: 5 } as const;

const VERSION = 3;
const HEADER_BYTES = 8;
const FLAG_FIN = 1;
/** The first bit says control, and none of a stream's number. */
const CONTROL_BIT = 0x8000_0000;

/**
 * Cuts what comes into frames.
 * @throws where a control frame is of another version
 */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame, undefined> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    pending = Buffer.concat([pending, chunk]);
    for (let length = frameLength(pending); length <= pending.length; length = frameLength(pending)) {
      yield parseFrame(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
  }
}

function frameLength(bytes: Buffer): number {
  return bytes.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + bytes.readUIntBE(5, 3);
}

function parseFrame(frame: Buffer): Frame {
  const first = frame.readUInt32BE();
  const fin = (frame.readUInt8(4) & FLAG_FIN) !== 0;
  const body = frame.subarray(HEADER_BYTES);
  if (first < CONTROL_BIT) return { kind: 'data', streamId: first, fin, data: body };
  const version = (first - CONTROL_BIT) >>> 16;
  if (version !== VERSION) throw new Error(`SPDY version ${version} is not spoken here`);
  return { kind: 'control', type: first & 0xffff, fin, body };
}

function frame(first: number, fin: boolean, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(first);
  header.writeUInt8(fin ? FLAG_FIN : 0, 4);
  header.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([header, body]);
}

/** A DATA frame; with `fin` the sender has no more. */
export function dataFrame(streamId: number, data: Buffer, fin: boolean): Buffer {
  return frame(streamId, fin, data);
}

/** A control frame of numbers, then bytes. */
export function controlFrame(type: number, numbers: readonly number[], rest: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => body.writeUInt32BE(number, index * 4));
  return frame(CONTROL_BIT + VERSION * 0x1_0000 + type, false, Buffer.concat([body, rest]));
}
