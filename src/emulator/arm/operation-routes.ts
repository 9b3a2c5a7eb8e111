import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Emulator } from '../core/emulator.js';
import { retryAfterSeconds } from '../core/limits.js';
import { ArmError } from './errors.js';
import { operationBase, operationWires, type OperationProvider, type OperationWire } from './operation-wires.js';
import type { Operation } from './operations.js';

interface OperationRoute {
  Params: { operationId: string };
}

/** Status documents and results of asynchronous operations, at the addresses that each provider gives. */
export function registerOperations(app: FastifyInstance, emulator: Emulator): void {
  const find = ({ params }: FastifyRequest<OperationRoute>): Operation => {
    const operation = emulator.operations.get(params.operationId);
    if (operation !== undefined) return operation;
    throw new ArmError(404, 'NotFound', `The operation '${params.operationId}' was not found.`);
  };

  for (const [provider, wire] of Object.entries(operationWires) as [OperationProvider, OperationWire][]) {
    const base = operationBase(provider, ':subscriptionId', ':region');
    app.get<OperationRoute>(`${base}/${wire.status}/:operationId`, async (request, reply) => {
      const operation = find(request);
      if (operation.status === 'InProgress') reply.header('retry-after', retryAfterSeconds);
      return wire.document(operation);
    });
    app.get<OperationRoute>(`${base}/${wire.result}/:operationId`, async (request, reply) =>
      sendResult(request, reply, find(request), wire),
    );
  }
}

/** 202 while the operation runs, then what it ended with. */
function sendResult(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, error }: Operation,
  { done, resultMoves }: OperationWire,
): FastifyReply {
  if (status === 'InProgress') {
    const location = new URL(request.url, `https://${request.host}`);
    if (resultMoves) location.searchParams.set('t', request.call.requestId);
    return reply.code(202).headers({ 'retry-after': retryAfterSeconds, location: location.href }).send();
  }
  if (status === 'Succeeded') return reply.code(done).send();
  throw new ArmError(409, error?.code ?? 'OperationCanceled', error?.message ?? 'The operation was canceled.');
}
