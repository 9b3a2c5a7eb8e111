import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { forwardFailure, type ForwardTarget } from './forward-target.js';
import { serveSpdy, type SpdyStream } from './spdy-connection.js';

const headersSchema = z.object({
  streamtype: z.enum(['data', 'error']),
  port: z.coerce.number().int().min(1).max(65535),
  requestid: z.string().min(1),
});
type StreamType = z.infer<typeof headersSchema>['streamtype'];
type Pair = Partial<Record<StreamType, SpdyStream>>;

/**
 * Serves `portforward.k8s.io` over SPDY: for each connection that the client takes it opens a stream for its data and one on which
 * it is told what went wrong, under one request id.
 */
export async function forwardOverSpdy(transport: Duplex, target: ForwardTarget): Promise<void> {
  const pairs = new Map<string, Pair>();
  await serveSpdy(transport, (stream) => {
    const { streamtype, port, requestid } = headersSchema.parse(stream.headers);
    const pair: Pair = { ...pairs.get(requestid), [streamtype]: stream };
    const { data, error } = pair;
    if (data === undefined || error === undefined) {
      pairs.set(requestid, pair);
      stream.once('close', () => pairs.delete(requestid));
      return;
    }
    pairs.delete(requestid);
    relay(data, error, target, port);
  });
}

/**
 * Relays between a stream and a port of the pod. The client may finish and still get an answer; the pod's end is the end of both, which
 * is what clients take it for.
 */
function relay(data: SpdyStream, error: SpdyStream, target: ForwardTarget, port: number): void {
  const tcp = connect({ host: target.host, port });
  tcp.once('error', (failure) => error.write(forwardFailure(failure, target, port)));
  // The client never sends on it but the end, which is to be read.
  error.resume();
  data.once('close', () => tcp.destroy());
  data.pipe(tcp);
  tcp.pipe(data);
  tcp.once('end', () => tcp.destroy());
  tcp.once('close', () => {
    data.end();
    error.end();
    // What the client still sends, before it knows: unread it would hold up the whole connection.
    data.resume();
  });
}
