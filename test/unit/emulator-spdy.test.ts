import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwardOverSpdy } from '../../src/emulator/kubernetes/streaming/spdy-forward.js';
import { serveSpdy, SpdyStream } from '../../src/emulator/kubernetes/streaming/spdy-connection.js';
import {
  controlFrame,
  controlType,
  dataFrame,
  readFrames,
  resetStatus,
} from '../../src/emulator/kubernetes/streaming/spdy-frames.js';
import { HeaderCodec, type Headers } from '../../src/emulator/kubernetes/streaming/spdy-headers.js';

/** What Go's client sent for a first stream with `streamtype: error`, `port: 8080` and `requestid: 0`. */
const RECORDED_SYN_STREAM = Buffer.from(
  '800300010000003e0000000100000000000078f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c60616061c0c0c0c0590489c64c50f2663400000000ffff',
  'hex',
);

const NONE = Buffer.alloc(0);
let client: Socket;
let frames: ReturnType<typeof readFrames>;
let codec: HeaderCodec;
let opened: SpdyStream[];
let over: Promise<void>;

/** Both ends of a connection. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

beforeEach(async () => {
  opened = [];
  codec = new HeaderCodec();
  const [near, far] = await socketPair();
  client = near;
  frames = readFrames(client);
  over = serveSpdy(far, (stream) => {
    if (stream.headers['refuse'] !== undefined) throw new Error('refused');
    opened.push(stream);
  });
});
afterEach(async () => {
  client.destroy();
  await over;
  codec.close();
});

const synStream = async (id: number, headers: Headers = {}) =>
  controlFrame(controlType.synStream, [id, 0], Buffer.concat([Buffer.alloc(2), await codec.pack(headers)]));
const next = async () => (await frames.next()).value;
const reset = (id: number, status: number) => {
  const body = controlFrame(0, [id, status]).subarray(8);
  return { kind: 'control', type: controlType.rstStream, body };
};

describe('a forwarded port', () => {
  it('that the pod closes does not hold up the connection with what the client still sends', async () => {
    const pod = createServer((socket) => socket.destroy());
    await once(pod.listen(0, '127.0.0.1'), 'listening');
    const port = String((pod.address() as AddressInfo).port);
    const [near, far] = await socketPair();
    const forwarded = forwardOverSpdy(far, { name: 'pod', host: '127.0.0.1' });
    const read = readFrames(near);
    for (const [id, streamtype] of [
      [1, 'error'],
      [3, 'data'],
    ] as const)
      near.write(await synStream(id, { streamtype, port, requestid: '0' }));
    const seen = [];
    while (seen.filter((frame) => frame?.fin).length < 2) seen.push((await read.next()).value);
    near.write(dataFrame(3, Buffer.alloc(1024 * 1024), false));
    near.write(controlFrame(controlType.ping, [1]));
    expect((await read.next()).value).toMatchObject({ type: controlType.ping });
    near.destroy();
    await forwarded;
    pod.close();
  });
});

describe('a SPDY connection', () => {
  it('understands what a Go client sends, also byte by byte', async () => {
    for (const byte of RECORDED_SYN_STREAM) client.write(Buffer.of(byte));
    expect(await next()).toMatchObject({ type: controlType.synReply });
    expect(opened.map(({ headers }) => headers)).toEqual([{ streamtype: 'error', port: '8080', requestid: '0' }]);
  });

  it('carries data of several streams both ways, each direction with an end of its own', async () => {
    for (const id of [1, 3]) client.write(await synStream(id));
    for (const id of [1, 3]) {
      client.write(dataFrame(id, Buffer.from(`to ${id}`), true));
      expect(await next()).toMatchObject({ type: controlType.synReply });
    }
    for (const stream of opened) {
      const [read] = (await once(stream, 'data')) as [Buffer];
      stream.end(`${String(read)} and back`);
      const answer = await next();
      expect(answer).toMatchObject({ kind: 'data', fin: false });
      expect(answer?.kind === 'data' && String(answer.data)).toBe(`${String(read)} and back`);
      expect(await next()).toMatchObject({ kind: 'data', fin: true, data: NONE });
    }
  });

  it('answers the pings of the client and no others', async () => {
    client.write(controlFrame(controlType.ping, [2]));
    client.write(controlFrame(controlType.ping, [7]));
    expect(await next()).toEqual({
      kind: 'control',
      type: controlType.ping,
      fin: false,
      body: Buffer.from([0, 0, 0, 7]),
    });
  });

  it.each([
    ['that the client may not open', 2, {}, resetStatus.protocolError],
    ['that is refused', 1, { refuse: 'yes' }, resetStatus.cancel],
  ])('resets a stream %s', async (_, id, headers, status) => {
    client.write(await synStream(id, headers));
    let answer = await next();
    if (answer?.kind === 'control' && answer.type === controlType.synReply) answer = await next();
    expect(answer).toMatchObject(reset(id, status));
  });

  it('closes a stream that the client resets, and answers nothing', async () => {
    client.write(await synStream(1));
    await next();
    const closed = once(opened[0] as SpdyStream, 'close');
    client.write(controlFrame(controlType.rstStream, [1, resetStatus.cancel]));
    await closed;
    client.write(controlFrame(controlType.ping, [1]));
    expect(await next()).toMatchObject({ type: controlType.ping });
  });

  it.each([
    ['read', (stream: SpdyStream) => stream.resume()],
    ['reset', (stream: SpdyStream) => stream.receiveReset()],
  ])('waits when a stream holds enough, until it is %s', async (_, release) => {
    const stream = new SpdyStream(1, {}, () => undefined);
    let goesOn = false;
    const room = stream.receive(Buffer.alloc(1024 * 1024), false).then(() => (goesOn = true));
    await setImmediate();
    expect(goesOn).toBe(false);
    release(stream);
    await room;
  });

  it.each([
    ['of another version', Buffer.from('800200060000000400000001', 'hex')],
    ['with a broken header block', controlFrame(controlType.synStream, [1, 0], Buffer.from('0000ffffffff', 'hex'))],
    ['that is too short', controlFrame(controlType.rstStream, [])],
  ])('ends after a frame %s, with its streams', async (_, broken) => {
    client.write(await synStream(1));
    await next();
    client.write(broken);
    await over;
    expect(opened[0]?.destroyed).toBe(true);
  });
});
