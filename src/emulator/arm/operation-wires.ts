import type { Operation } from './operations.js';

/** How a provider words its asynchronous operations, as recorded of the real ones. */
export interface OperationWire {
  /** Segments before the id, of the status document and of the result. */
  readonly status: string;
  readonly result: string;
  /** Of both addresses, whatever version the request had. */
  readonly apiVersion: string;
  /** The result's status code when all is done. */
  readonly done: 200 | 204;
  /** Whether each poll of the result is sent on to another address. */
  readonly resultMoves?: true;
  /** The status document. */
  document(operation: Operation): object;
}

function plainDocument({ id, status, startTime, endTime, error }: Operation): object {
  return { name: id, status, startTime, ...(endTime && { endTime }), ...(error && { error }) };
}

/** Container Service writes the first three groups of the id with their bytes the other way round. */
function swapped(id: string): string {
  const [first = '', second = '', third = '', ...rest] = id.split('-');
  const reversed = [first, second, third].map((group) => group.match(/../g)?.reverse().join('') ?? group);
  return [...reversed, ...rest].join('-');
}

/** The providers that have asynchronous operations. */
export const operationWires = {
  'Microsoft.ContainerRegistry': {
    status: 'operationStatuses',
    result: 'operationResults',
    apiVersion: '2025-11-01',
    done: 200,
    resultMoves: true,
    document: plainDocument,
  },
  'Microsoft.ContainerService': {
    status: 'operations',
    result: 'operationresults',
    apiVersion: '2017-08-31',
    done: 204,
    document: (operation) => ({ ...plainDocument(operation), name: swapped(operation.id) }),
  },
  'Microsoft.MachineLearningServices': {
    status: 'mfeOperationsStatus',
    result: 'mfeOperationResults',
    apiVersion: '2022-10-01',
    done: 204,
    document: (operation) => ({
      ...plainDocument(operation),
      id: operation.id,
      status: operation.status === 'InProgress' ? 'Updating' : operation.status,
      percentComplete: operation.status === 'InProgress' ? 0 : 100,
    }),
  },
  'Microsoft.Resources': {
    status: 'operations',
    result: 'operationresults',
    apiVersion: '2021-04-01',
    done: 200,
    document: plainDocument,
  },
} as const satisfies Readonly<Record<string, OperationWire>>;

export type OperationProvider = keyof typeof operationWires;

/** What the addresses of a provider's operations begin with. Those of resource groups belong to no region. */
export function operationBase(provider: OperationProvider, subscription: string, region: string): string {
  const base = `/subscriptions/${subscription}`;
  return provider === 'Microsoft.Resources' ? base : `${base}/providers/${provider}/locations/${region}`;
}

const segments = new Set(Object.values(operationWires).flatMap(({ status, result }) => [status, result]));
const operationPath = new RegExp(`/(${[...segments].join('|')})/[^/]+$`, 'i');

/** Whether a path is that of an operation's status or result. */
export function isOperationPath(path: string): boolean {
  return operationPath.test(path);
}
