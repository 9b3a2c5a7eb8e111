import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

const protocol = 'v4.channel.k8s.io';

/** The two channels that a forwarded port has; a connection forwards one. */
const dataChannel = 0;
const errorChannel = 1;

const server = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
});

function frame(channel: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(channel), data]);
}

/** Relays between the channels of a WebSocket and a TCP connection; either end takes the other with it. */
function relay(webSocket: WebSocket, tcp: Socket, port: number): void {
  const opening = Buffer.alloc(2);
  opening.writeUInt16LE(port);
  webSocket.send(frame(dataChannel, opening));
  webSocket.send(frame(errorChannel, opening));
  tcp.on('data', (data) => {
    tcp.pause();
    webSocket.send(frame(dataChannel, data), () => tcp.resume());
  });
  tcp.once('error', (error) => {
    if (webSocket.readyState !== webSocket.OPEN) return;
    const message = `error forwarding port ${port} to pod: ${error.message}`;
    webSocket.send(frame(errorChannel, Buffer.from(message)));
  });
  tcp.once('close', () => webSocket.close());
  webSocket.on('message', (message: Buffer) => {
    if (message[0] === dataChannel) tcp.write(message.subarray(1));
  });
  webSocket.once('error', () => tcp.destroy());
  webSocket.once('close', () => tcp.end());
}

/**
 * Accepts the upgrade of a `portforward` request and connects it to a pod.
 * @param target address and port in the pod, which hold as long as the pod does
 */
export function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: { host: string; port: number },
): void {
  server.handleUpgrade(request, socket, head, (webSocket) => {
    relay(webSocket, connect(target), target.port);
  });
}
