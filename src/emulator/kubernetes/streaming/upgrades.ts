import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { badRequest } from '../api/status.js';

/** The connection of a request that asks for another protocol, and what came after the request. */
export interface Upgrade {
  socket: Duplex;
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/**
 * Sends requests for another protocol through the routes of `app` like all others, so that they are signed in, hit by faults and
 * noted in the journal. A handler that has another protocol takes the connection; what others reply ends it.
 */
export function routeUpgrades(app: FastifyInstance): void {
  const open = new Set<Duplex>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    // Node types the connection as any stream, and it is the request's own socket.
    response.assignSocket(request.socket);
    response.once('finish', () => socket.end());
    upgrades.set(request, { socket, head });
    app.routing(request, response);
  });
  // Node's server waits for these and knows them no longer.
  app.addHook('preClose', (done) => {
    for (const socket of open) socket.destroy();
    done();
  });
}

/**
 * Takes the connection of a request over from HTTP.
 * @throws ApiError 400 where the request does not let go of it
 */
export function takeUpgrade(request: FastifyRequest, reply: FastifyReply): Upgrade {
  const upgrade = upgrades.get(request.raw);
  if (upgrade === undefined) throw badRequest('unable to upgrade: missing upgrade headers in request');
  reply.hijack();
  request.call.upgraded = true;
  return upgrade;
}
