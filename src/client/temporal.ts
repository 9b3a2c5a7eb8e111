import { Client, Connection, isGrpcServiceError, ServiceError, type ConnectionLike } from '@temporalio/client';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { SlipwayError } from '../deployment/errors.js';
import { SEARCH_ATTRIBUTES } from '../deployment/temporal.js';
import { CONNECT_TIMEOUT_MS } from './limits.js';
import { whyUnreachable } from './reachability.js';

/** Where Temporal answers when nothing says otherwise: its own default. */
const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';

/** Codes of gRPC (https://grpc.io/docs/guides/status-codes/). */
const GRPC = { deadlineExceeded: 4, notFound: 5, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const;
/** What a server that is not there gives. */
const NOT_THERE: readonly unknown[] = [GRPC.deadlineExceeded, GRPC.unavailable];
/** What a server gives that knows neither key nor certificate, or does not let their owner in. */
const REFUSED: readonly unknown[] = [GRPC.unauthenticated, GRPC.permissionDenied];

/** Which Temporal is used, and as whom. */
export interface TemporalSettings {
  readonly options: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
  /** False when nothing names an address, and it is Temporal's own default. */
  readonly configured: boolean;
}

/**
 * What Temporal's own environment configuration says (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, …, or a
 * profile in its configuration file).
 *
 * @throws SlipwayError `InvalidEnvironment`
 */
export function temporalSettings(environment: NodeJS.ProcessEnv = process.env): TemporalSettings {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: definedOnly(environment) });
    const { address } = connectionOptions;
    return {
      options: { ...connectionOptions, address: address ?? DEFAULT_ADDRESS },
      namespace: namespace ?? DEFAULT_NAMESPACE,
      configured: address !== undefined,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SlipwayError('InvalidEnvironment', `Temporal's configuration cannot be used: ${why}`, {
      fix: 'Correct the TEMPORAL_* variables and the configuration file of Temporal, or unset them.',
      cause,
    });
  }
}

/**
 * A client of the Temporal server that the environment names.
 *
 * @throws SlipwayError `TemporalUnreachable`, `TemporalRefused`, `NamespaceNotFound`, `InvalidEnvironment`
 */
export async function connectToTemporal(environment: NodeJS.ProcessEnv = process.env): Promise<Client> {
  const { options, namespace } = temporalSettings(environment);
  const connection = await Connection.connect({ ...options, connectTimeout: CONNECT_TIMEOUT_MS }).catch(
    async (cause: unknown) => {
      throw await connectionFailure(options, cause);
    },
  );
  try {
    await requireNamespace(connection, namespace, options.address);
    return new Client({ connection, namespace });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** What a connection that was not made is told as: `TemporalRefused`, or `TemporalUnreachable` with what was found out. */
export async function connectionFailure(options: TemporalSettings['options'], cause: unknown): Promise<SlipwayError> {
  const { address, tls } = options;
  if (REFUSED.includes(grpcCode(cause))) return refusal(address, cause);
  const why = await whyUnreachable(address, tls !== undefined && tls !== null && tls !== false);
  return new SlipwayError('TemporalUnreachable', `Temporal does not answer at ${address}: ${why}`, {
    fix: 'Start the local parts with `slipway up`, or set TEMPORAL_ADDRESS to a server that runs.',
    cause,
  });
}

/**
 * Checks that the server has the namespace: without it, each later call would fail by itself.
 *
 * @throws SlipwayError `NamespaceNotFound`, `TemporalRefused`
 */
export async function requireNamespace(connection: ConnectionLike, namespace: string, address: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (cause) {
    if (REFUSED.includes(grpcCode(cause))) throw refusal(address, cause);
    if (grpcCode(cause) !== GRPC.notFound) throw cause;
    throw new SlipwayError('NamespaceNotFound', `Temporal at ${address} has no namespace ${namespace}`, {
      fix: `Create it with \`temporal operator namespace create --address ${address} --namespace ${namespace}\`, or set TEMPORAL_NAMESPACE to one that it has.`,
    });
  }
}

function refusal(address: string, cause: unknown): SlipwayError {
  return new SlipwayError('TemporalRefused', `Temporal at ${address} does not let us in: ${detailsOf(cause)}`, {
    fix: 'Set TEMPORAL_API_KEY, or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, to ones that may use the namespace.',
    cause,
  });
}

/**
 * Asks Temporal something on a connection that answered before.
 *
 * @throws SlipwayError `TemporalUnreachable` when it does not answer any more; other errors as they are
 */
export async function askTemporal<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!NOT_THERE.includes(grpcCode(error))) throw error;
    throw new SlipwayError('TemporalUnreachable', 'Temporal does not answer any more', {
      fix: 'What was started goes on as soon as it does, and a worker runs; `slipway watch SERVICE` then comes back to it.',
      cause: error instanceof ServiceError ? error.cause : error,
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

/** The gRPC error itself: the client wraps some and passes others on, and a worker's connection has its own without a cause. */
function grpcError(error: unknown): unknown {
  return error instanceof ServiceError ? (error.cause ?? error) : error;
}

function grpcCode(error: unknown): unknown {
  const reason = grpcError(error);
  return reason instanceof Error && 'code' in reason ? reason.code : undefined;
}

function detailsOf(error: unknown): string {
  const reason = grpcError(error);
  return isGrpcServiceError(reason) ? reason.details : reason instanceof Error ? reason.message : String(reason);
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
