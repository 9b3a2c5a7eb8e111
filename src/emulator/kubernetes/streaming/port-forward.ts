import type { FastifyReply, FastifyRequest } from 'fastify';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Registry } from '../api/registry.js';
import { parsePath, parseQuery } from '../api/requests.js';
import { pods } from '../api/resources.js';
import { ApiError, badRequest } from '../api/status.js';
import { channelProtocol, forwardOverChannels } from './channels.js';
import type { ForwardTarget } from './forward-target.js';
import { forwardOverSpdy } from './spdy-forward.js';
import { takeUpgrade } from './upgrades.js';

const forwardProtocol = 'portforward.k8s.io';
const spdy = 'SPDY/3.1';
/** Subprotocol of a WebSocket that carries the bytes of a SPDY connection: what kubectl asks for first from 1.31 on. */
const tunnelProtocol = `${spdy}+${forwardProtocol}`;

const webSockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => [tunnelProtocol, channelProtocol].find((protocol) => offered.has(protocol)) ?? false,
});

/**
 * Answers `pods/NAME/portforward`, in each of the three forms in which clients ask for it: SPDY, SPDY in a WebSocket, and
 * channels in a WebSocket.
 * @throws ApiError 400 for a pod that does not run or a request for none of these, 403 for another protocol over SPDY
 */
export function servePortForward(request: FastifyRequest, reply: FastifyReply, registry: Registry): FastifyReply {
  const target = findTarget(request, registry);
  const upgradeTo = request.headers.upgrade?.toLowerCase();
  if (upgradeTo === 'websocket') return acceptWebSocket(request, reply, target);
  if (upgradeTo === spdy.toLowerCase()) return acceptSpdy(request, reply, target);
  throw badRequest('Upgrade request required');
}

function findTarget(request: FastifyRequest, registry: Registry): ForwardTarget {
  const { namespace, name } = parsePath(request);
  const { phase, podIP } = registry.get(pods, namespace, name).status;
  if (phase !== 'Running' || podIP === undefined)
    throw badRequest(`unable to forward port because pod is not running. Current status=${phase}`);
  return { name, host: podIP };
}

function acceptWebSocket(request: FastifyRequest, reply: FastifyReply, target: ForwardTarget): FastifyReply {
  const { ports } = parseQuery(request.query);
  const tunnels = protocolsIn(request, 'sec-websocket-protocol').includes(tunnelProtocol);
  if (!tunnels && ports === undefined) throw badRequest('at least one port must be specified');
  const { socket, head } = takeUpgrade(request, reply);
  webSockets.handleUpgrade(request.raw, socket, head, (webSocket) => {
    if (tunnels) void forwardOverSpdy(createWebSocketStream(webSocket), target);
    else forwardOverChannels(webSocket, target, ports ?? 0);
  });
  return reply;
}

function acceptSpdy(request: FastifyRequest, reply: FastifyReply, target: ForwardTarget): FastifyReply {
  const offered = protocolsIn(request, 'x-stream-protocol-version');
  if (!offered.includes(forwardProtocol)) {
    const both = `client supports [${offered.join(' ')}], server accepts [${forwardProtocol}]`;
    throw new ApiError(403, 'Forbidden', `unable to upgrade: unable to negotiate protocol: ${both}`);
  }
  const { socket, head } = takeUpgrade(request, reply);
  socket.unshift(head);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${spdy}\r\n` +
      `X-Stream-Protocol-Version: ${forwardProtocol}\r\n\r\n`,
  );
  void forwardOverSpdy(socket, target);
  return reply;
}

/** The protocols that a header offers. */
function protocolsIn(request: FastifyRequest, header: string): string[] {
  const values = [request.headers[header] ?? []].flat();
  return values.flatMap((value) => value.split(',')).map((protocol) => protocol.trim());
}
