import { Duplex } from 'node:stream';
import { controlFrame, controlType, dataFrame, readFrames, resetStatus, type Frame } from './spdy-frames.js';
import { HeaderCodec, type Headers } from './spdy-headers.js';

type Callback = (error?: Error | null) => void;
type Send = (frame: Buffer, done?: Callback) => void;

/** A stream that the client opened. To end it ends one direction; to destroy it resets both. */
export class SpdyStream extends Duplex {
  private wanted: (() => void) | undefined;
  private resetByClient = false;

  constructor(
    private readonly id: number,
    readonly headers: Headers,
    private readonly sendFrame: Send,
  ) {
    super();
    // A stream that breaks is told by its `close`; nobody has to listen for the error.
    this.on('error', () => undefined);
  }

  /** Receives what the client sent; resolves when there is room for more. */
  async receive(data: Buffer, fin: boolean): Promise<void> {
    if (this.destroyed) return;
    const full = data.length > 0 && !this.push(data);
    if (fin) this.push(null);
    if (full) await new Promise<void>((resolve) => (this.wanted = resolve));
  }

  receiveReset(): void {
    this.resetByClient = true;
    this.destroy();
  }

  override _read(): void {
    this.wanted?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    this.sendFrame(dataFrame(this.id, chunk, false), done);
  }

  override _final(done: Callback): void {
    this.sendFrame(dataFrame(this.id, Buffer.alloc(0), true), done);
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.wanted?.();
    const isWhole = this.readableEnded && this.writableFinished;
    if (!isWhole && !this.resetByClient)
      this.sendFrame(controlFrame(controlType.rstStream, [this.id, resetStatus.cancel]));
    done(error);
  }
}

/**
 * The server's end of SPDY/3.1 as Kubernetes speaks it, where only the client opens streams and there are no windows: its clients
 * neither send WINDOW_UPDATE nor heed it, and the connection waits for the slowest stream.
 * @param onStream is given each stream that the client opens, and throws to refuse it
 * @returns when the connection is over and its streams are closed
 */
export async function serveSpdy(transport: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const connection = new Connection(transport, onStream);
  // It may break when nobody reads it any more.
  transport.on('error', () => undefined);
  try {
    for await (const frame of readFrames(transport)) await connection.handle(frame);
  } catch {
    // The client is gone, or does not speak SPDY: either way the connection is over, and the streams say so.
  } finally {
    connection.close();
  }
}

class Connection {
  private readonly streams = new Map<number, SpdyStream>();
  private readonly headers = new HeaderCodec();
  private lastStreamId = 0;

  constructor(
    private readonly transport: Duplex,
    private readonly onStream: (stream: SpdyStream) => void,
  ) {}

  close(): void {
    for (const stream of this.streams.values()) stream.receiveReset();
    this.headers.close();
    this.transport.destroy();
  }

  async handle(frame: Frame): Promise<void> {
    if (frame.kind === 'data') return this.streams.get(frame.streamId)?.receive(frame.data, frame.fin);
    const { type, body } = frame;
    if (type === controlType.synStream) return this.open(body, frame.fin);
    if (type === controlType.rstStream) this.streams.get(body.readUInt32BE())?.receiveReset();
    // Even numbers would be answers to pings of ours.
    else if (type === controlType.ping && body.readUInt32BE() % 2 === 1)
      this.send(controlFrame(type, [body.readUInt32BE()]));
    // Read for what it does to the compression of later ones.
    else if (type === controlType.headers) await this.headers.unpack(body.subarray(4));
  }

  private async open(body: Buffer, fin: boolean): Promise<void> {
    const id = body.readUInt32BE();
    const headers = await this.headers.unpack(body.subarray(10));
    if (id % 2 === 0 || id <= this.lastStreamId) {
      this.send(controlFrame(controlType.rstStream, [id, resetStatus.protocolError]));
      return;
    }
    this.lastStreamId = id;
    const stream = new SpdyStream(id, headers, (frame, done) => this.send(frame, done));
    this.streams.set(id, stream);
    stream.once('close', () => this.streams.delete(id));
    this.send(controlFrame(controlType.synReply, [id], await this.headers.pack({})));
    try {
      this.onStream(stream);
    } catch {
      stream.destroy();
      return;
    }
    if (fin) await stream.receive(Buffer.alloc(0), true);
  }

  private send(frame: Buffer, done: Callback = () => undefined): void {
    this.transport.write(frame, done);
  }
}
