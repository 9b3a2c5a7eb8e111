// A gRPC client that does the least that one can: requests are frames that were put together beforehand and leave in one write,
// and of an answer only its message is cut out. What follows is RFC 9113's.
import { connect } from 'node:net';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEADER_BYTES = 9;
const SETTING_BYTES = 6;
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 };
const FLAG = { endStream: 1, ack: 1, endHeaders: 4 };
const INITIAL_WINDOW_SETTING = 4;
const DEFAULT_WINDOW = 65_535;
const DEFAULT_FRAME_BYTES = 16_384;
/** Bytes that a server may send on a connection: more than all answers that one slice of load gets. */
const OUR_WINDOW = 2 ** 30;
/** Of gRPC: whether a message is compressed, and its length. */
const MESSAGE_HEADER_BYTES = 5;

/** @param {number} value */
function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param {number} type @param {number} flags @param {Buffer} payload the stream is set when it is sent */
function frame(type, flags, payload) {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  return Buffer.concat([header, payload]);
}

/** Fields that are not indexed (RFC 7541), so that the block is the same for every call. @param {Record<string, string>} fields */
function headers(fields) {
  const text = (value) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The frames of a call. @param {string} route @param {Buffer} message @returns {Buffer[]} */
export function grpcRequest(route, message) {
  const block = headers({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': route,
    ':authority': 'localhost',
    te: 'trailers',
    'content-type': 'application/grpc',
  });
  const body = Buffer.concat([Buffer.from([0]), uint32(message.length), message]);
  const frames = [frame(TYPE.headers, FLAG.endHeaders, block)];
  for (let at = 0; at < body.length; at += DEFAULT_FRAME_BYTES) {
    const last = at + DEFAULT_FRAME_BYTES >= body.length;
    frames.push(frame(TYPE.data, last ? FLAG.endStream : 0, body.subarray(at, at + DEFAULT_FRAME_BYTES)));
  }
  return frames;
}

/** A connection for one call at a time. */
export class GrpcWire {
  /** @param {number} port on this machine */
  constructor(port) {
    this.rest = Buffer.alloc(0);
    this.stream = -1;
    this.initialWindow = DEFAULT_WINDOW;
    this.windows = { connection: DEFAULT_WINDOW, call: 0 };
    /** @type {Buffer[]} */
    this.unsent = [];
    this.fail = () => {};
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => this.read(bytes));
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
    const settings = Buffer.concat([Buffer.from([0, INITIAL_WINDOW_SETTING]), uint32(OUR_WINDOW)]);
    this.socket.write(
      Buffer.concat([PREFACE, frame(TYPE.settings, 0, settings), frame(TYPE.windowUpdate, 0, uint32(OUR_WINDOW))]),
    );
  }

  /** @param {readonly Buffer[]} request see {@link grpcRequest} @returns {Promise<Buffer>} the answer's message */
  call(request) {
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, fail: reject, answer: [] });
      this.stream += 2;
      this.windows.call = this.initialWindow;
      for (const each of request) each.writeUInt32BE(this.stream, FRAME_HEADER_BYTES - 4);
      this.unsent = [...request];
      this.send();
    });
  }

  close() {
    this.fail = () => {};
    this.socket.destroy();
  }

  /** Sends as much of the request as the windows allow. */
  send() {
    const { connection, call } = this.windows;
    let allowed = Math.min(connection, call);
    this.socket.cork();
    while (this.unsent.length > 0) {
      const [next] = this.unsent;
      const bytes = next[3] === TYPE.data ? next.length - FRAME_HEADER_BYTES : 0;
      if (bytes > allowed) break;
      allowed -= bytes;
      this.windows.connection -= bytes;
      this.windows.call -= bytes;
      this.socket.write(next);
      this.unsent.shift();
    }
    this.socket.uncork();
  }

  /** @param {Buffer} bytes */
  read(bytes) {
    const received = this.rest.length > 0 ? Buffer.concat([this.rest, bytes]) : bytes;
    let at = 0;
    while (received.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + received.readUIntBE(at, 3);
      if (received.length < end) break;
      this.take(
        received[at + 3],
        received[at + 4],
        received.subarray(at + FRAME_HEADER_BYTES, end),
        received.readUInt32BE(at + 5),
      );
      at = end;
    }
    this.rest = received.subarray(at);
  }

  /** @param {number} type @param {number} flags @param {Buffer} payload @param {number} stream */
  take(type, flags, payload, stream) {
    const acknowledged = (flags & FLAG.ack) !== 0;
    if (type === TYPE.settings && !acknowledged) this.settings(payload);
    else if (type === TYPE.ping && !acknowledged) this.socket.write(frame(TYPE.ping, FLAG.ack, payload));
    else if (type === TYPE.windowUpdate) this.widen(stream, payload.readUInt32BE(0));
    else if (type === TYPE.reset || type === TYPE.goAway) this.fail(new Error('the server ended the call'));
    else if (type === TYPE.data) this.answer.push(payload);
    else if (type === TYPE.headers && flags & FLAG.endStream) this.finish();
  }

  /** @param {Buffer} payload */
  settings(payload) {
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SETTING) continue;
      const window = payload.readUInt32BE(at + 2);
      this.windows.call += window - this.initialWindow;
      this.initialWindow = window;
    }
    this.socket.write(frame(TYPE.settings, FLAG.ack, Buffer.alloc(0)));
    this.send();
  }

  /** @param {number} stream @param {number} bytes */
  widen(stream, bytes) {
    if (stream === 0) this.windows.connection += bytes;
    else if (stream === this.stream) this.windows.call += bytes;
    this.send();
  }

  finish() {
    const message = Buffer.concat(this.answer).subarray(MESSAGE_HEADER_BYTES);
    // A refusal has trailers and no message.
    if (message.length > 0) this.resolve(message);
    else this.fail(new Error('the server refused the call'));
  }
}
