// The same over HTTP/1.1: a request is bytes that were put together beforehand, and of an answer only its body is cut out.
import { connect } from 'node:net';

const HEAD_END = '\r\n\r\n';

/** @param {string} route @param {Buffer} body @returns {Buffer} */
export function httpRequest(route, body) {
  const fields = ['host: localhost', 'content-type: image/jpeg', `content-length: ${body.length}`];
  return Buffer.concat([Buffer.from(`POST ${route} HTTP/1.1\r\n${fields.join('\r\n')}${HEAD_END}`), body]);
}

/** A connection for one call at a time. */
export class HttpWire {
  /** @param {number} port on this machine */
  constructor(port) {
    this.received = Buffer.alloc(0);
    this.fail = () => {};
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => this.read(bytes));
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  /** @param {Buffer} request see {@link httpRequest} @returns {Promise<Buffer>} the answer's body */
  call(request) {
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, fail: reject, received: Buffer.alloc(0) });
      this.socket.write(request);
    });
  }

  close() {
    this.fail = () => {};
    this.socket.destroy();
  }

  /** @param {Buffer} bytes */
  read(bytes) {
    this.received = this.received.length > 0 ? Buffer.concat([this.received, bytes]) : bytes;
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length === undefined) return this.fail(new Error(`an answer without a length: ${head}`));
    const body = this.received.subarray(headEnd + HEAD_END.length);
    if (body.length < Number(length)) return;
    if (head.startsWith('HTTP/1.1 200 ')) this.resolve(body);
    else this.fail(new Error(`${head.split('\r\n')[0]}: ${body.toString('utf8').slice(0, 200)}`));
  }
}
