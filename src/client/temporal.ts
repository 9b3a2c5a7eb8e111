import { Client, Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { SlipwayError } from '../deployment/errors.js';
import { SEARCH_ATTRIBUTES } from '../deployment/temporal.js';
import { CONNECT_TIMEOUT_MS } from './limits.js';

/** Where Temporal answers when nothing says otherwise: its own default. */
const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';

/**
 * A client of the Temporal server that its own environment configuration names (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
 * `TEMPORAL_API_KEY`, …, or a profile in its configuration file).
 *
 * @throws SlipwayError `TemporalUnreachable`
 */
export async function connectToTemporal(environment: NodeJS.ProcessEnv = process.env): Promise<Client> {
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: definedOnly(environment) });
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  try {
    const connection = await Connection.connect({ ...connectionOptions, address, connectTimeout: CONNECT_TIMEOUT_MS });
    return new Client({ connection, namespace: namespace ?? DEFAULT_NAMESPACE });
  } catch (cause) {
    throw new SlipwayError('TemporalUnreachable', `Temporal does not answer at ${address}`, {
      fix: 'Start the local parts with `slipway up`, or set TEMPORAL_ADDRESS to a server that runs.',
      cause,
    });
  }
}

/** gRPC codes of a server that is not there: DEADLINE_EXCEEDED and UNAVAILABLE. */
const NOT_THERE = new Set<number>([4, 14]);

/**
 * Asks Temporal something on a connection that answered before.
 *
 * @throws SlipwayError `TemporalUnreachable` when it does not answer any more; other errors as they are
 */
export async function askTemporal<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    const reason: unknown = error instanceof ServiceError ? error.cause : error;
    if (!isGrpcServiceError(reason) || !NOT_THERE.has(reason.code)) throw error;
    throw new SlipwayError('TemporalUnreachable', 'Temporal does not answer any more', {
      fix: 'What was started goes on as soon as it does, and a worker runs; `slipway watch SERVICE` then comes back to it.',
      cause: reason,
    });
  }
}

/** Whether the namespace has every search attribute of Slipway's. False where it may not be asked. */
export async function hasSearchAttributes(client: Client): Promise<boolean> {
  try {
    const { namespace } = client.options;
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    return Object.keys(SEARCH_ATTRIBUTES).every((name) => name in customAttributes);
  } catch {
    return false;
  }
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
