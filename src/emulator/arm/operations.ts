import type { FastifyRequest } from 'fastify';
import type { pino } from 'pino';
import type { Cancel, Clock } from '../core/clock.js';
import type { Collection, Documents } from '../core/documents.js';
import { operationBase, operationWires, type OperationProvider } from './operation-wires.js';
import { resourceKey } from './resource-id.js';

export interface OperationError {
  code: string;
  message: string;
}

/** What an operation does to its resource when it ends. Called again after a crash in the middle, so it must be repeatable. */
export interface OperationHandlers {
  onSucceeded(resourceId: string): void | Promise<void>;
  onFailed(resourceId: string, error: OperationError): void;
}

/** An asynchronous operation as it is kept. */
export interface Operation {
  id: string;
  type: string;
  resourceId: string;
  status: 'InProgress' | 'Succeeded' | 'Failed' | 'Canceled';
  startTime: string;
  /** Absent where it never ends by itself. */
  dueTime?: string;
  endTime?: string;
  /** What it fails with when it is due. */
  failure?: OperationError;
  error?: OperationError;
}

/** What {@link Operations.begin} is asked for. */
export interface BeginOperation {
  type: string;
  resourceId: string;
  provider: OperationProvider;
  region: string;
  /** How long Azure was seen to take, before scaling. */
  seconds: number;
}

export interface BegunOperation {
  id: string;
  /** For the header Azure-AsyncOperation. */
  statusUrl: string;
  /** For the header Location. */
  resultUrl: string;
}

/** Resource Manager's asynchronous operations: kept on disk, continued after a restart, at most one in progress a resource. */
export class Operations {
  private readonly operations: Collection<Operation>;
  private readonly handlers = new Map<string, OperationHandlers>();
  private readonly waiting = new Map<string, Cancel>();

  constructor(
    documents: Documents,
    private readonly clock: Clock,
    private readonly log: pino.Logger,
  ) {
    this.operations = documents.collection<Operation>('operations');
  }

  /** Says how operations of `type` end. Those that a restart interrupted go on from here. */
  define(type: string, handlers: OperationHandlers): void {
    this.handlers.set(type, handlers);
    for (const operation of this.operations.list()) {
      if (operation.type === type && operation.status === 'InProgress') this.schedule(operation);
    }
  }

  /** Begins an operation on behalf of `request`, whose injected fault of kind `operation` decides how it will end. */
  begin(request: FastifyRequest, { type, resourceId, provider, region, seconds }: BeginOperation): BegunOperation {
    const fate = fateOf(request);
    const operation: Operation = {
      // As in Azure, where the reply's x-ms-request-id is the operation's.
      id: request.call.requestId,
      type,
      resourceId,
      status: 'InProgress',
      startTime: this.clock.now().toISOString(),
      ...(fate === 'stuck' ? {} : { dueTime: this.clock.due(seconds).toISOString() }),
      ...(typeof fate === 'object' ? { failure: fate } : {}),
    };
    this.operations.put(operation.id, operation);
    this.schedule(operation);
    const subscription = resourceId.split('/')[2] ?? '';
    const base = `https://${request.host}${operationBase(provider, subscription, region)}`;
    const { status, result, apiVersion } = operationWires[provider];
    return {
      id: operation.id,
      statusUrl: `${base}/${status}/${operation.id}?api-version=${apiVersion}`,
      resultUrl: `${base}/${result}/${operation.id}?api-version=${apiVersion}`,
    };
  }

  get(id: string): Operation | undefined {
    return this.operations.get(id);
  }

  /** The operation that is in progress on a resource. */
  current(resourceId: string): Operation | undefined {
    const key = resourceKey(resourceId);
    return this.operations
      .list()
      .find(({ resourceId: id, status }) => status === 'InProgress' && resourceKey(id) === key);
  }

  /** Ends what is in progress on a resource as Canceled, without calling its handlers. */
  cancel(resourceId: string): void {
    const operation = this.current(resourceId);
    if (operation !== undefined) this.end(operation, { status: 'Canceled' });
  }

  private schedule(operation: Operation): void {
    if (operation.dueTime === undefined || this.waiting.has(operation.id)) return;
    const remaining = Date.parse(operation.dueTime) - this.clock.now().getTime();
    const cancel = this.clock.after(Math.max(0, remaining), () => {
      this.finish(operation).catch((error: unknown) => this.log.error({ err: error, operation }, 'operation broke'));
    });
    this.waiting.set(operation.id, cancel);
  }

  private async finish(operation: Operation): Promise<void> {
    const handlers = this.handlers.get(operation.type);
    if (handlers === undefined) throw new Error(`no handlers are defined for operations of type ${operation.type}`);
    if (operation.failure === undefined) {
      try {
        await handlers.onSucceeded(operation.resourceId);
        if (this.operations.get(operation.id)?.status === 'InProgress') this.end(operation, { status: 'Succeeded' });
        return;
      } catch (error) {
        this.log.error({ err: error, operation }, 'operation could not be completed');
        operation = { ...operation, failure: { code: 'InternalOperationError', message: String(error) } };
      }
    }
    const error = operation.failure ?? { code: 'InternalOperationError', message: 'unknown' };
    handlers.onFailed(operation.resourceId, error);
    this.end(operation, { status: 'Failed', error });
  }

  private end(operation: Operation, outcome: Pick<Operation, 'status' | 'error'>): void {
    this.waiting.get(operation.id)?.();
    this.waiting.delete(operation.id);
    this.operations.put(operation.id, { ...operation, ...outcome, endTime: this.clock.now().toISOString() });
  }
}

/** How an injected fault wants what a call begins to go: it fails, never ends, or is changed again after it has succeeded. */
export function fateOf({ call: { fault } }: FastifyRequest): OperationError | 'stuck' | 'relapse' | undefined {
  if (fault?.when !== 'operation') return undefined;
  const {
    stuck,
    relapse,
    code = 'InternalOperationError',
    message = 'The operation failed because of an internal error.',
  } = fault.then;
  if (stuck) return 'stuck';
  return relapse ? 'relapse' : { code, message };
}
