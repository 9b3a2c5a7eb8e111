import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { forwardFailure, type ForwardTarget } from './forward-target.js';

/** Subprotocol of a WebSocket whose messages begin with the number of their channel. */
export const channelProtocol = 'v4.channel.k8s.io';

/** The two channels that a forwarded port has; a connection forwards one. */
const dataChannel = 0;
const errorChannel = 1;

function message(channel: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(channel), data]);
}

/** Relays between the channels of a WebSocket and a port of a pod; either end takes the other with it. */
export function forwardOverChannels(webSocket: WebSocket, target: ForwardTarget, port: number): void {
  const tcp = connect({ host: target.host, port });
  const opening = Buffer.alloc(2);
  opening.writeUInt16LE(port);
  webSocket.send(message(dataChannel, opening));
  webSocket.send(message(errorChannel, opening));
  tcp.on('data', (data) => {
    tcp.pause();
    webSocket.send(message(dataChannel, data), () => tcp.resume());
  });
  tcp.once('error', (error) => {
    if (webSocket.readyState !== webSocket.OPEN) return;
    webSocket.send(message(errorChannel, Buffer.from(forwardFailure(error, target, port))));
  });
  tcp.once('close', () => webSocket.close());
  webSocket.on('message', (received: Buffer) => {
    if (received[0] === dataChannel) tcp.write(received.subarray(1));
  });
  webSocket.once('error', () => tcp.destroy());
  webSocket.once('close', () => tcp.end());
}
