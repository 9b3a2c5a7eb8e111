import { isRestError, type RestError } from '@azure/core-rest-pipeline';
import { z } from 'zod';
import { SlipwayError } from '../deployment/errors.js';
import { ruleFor, type FailureClass } from './failure-rules.js';

/** What an error means, whoever threw it. */
export interface Classification {
  /** Stable code: the service's own where it gave one, `HTTP503` or `Unknown` otherwise. */
  readonly code: string;
  readonly class: FailureClass;
  /** Why it is in that class. */
  readonly reason: string;
  readonly message: string;
  readonly fix?: string;
  /** HTTP status, when a service answered. */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  /** Azure's request id, for its support. */
  readonly requestId?: string;
  /** Whether a service answered at all; without an answer the request may still have been carried out. */
  readonly answered: boolean;
}

/** What could be read from an error before the table has judged it. */
interface Reading {
  readonly code?: string | undefined;
  readonly message: string;
  readonly status?: number | undefined;
  readonly headers?: ((name: string) => string | undefined) | undefined;
  readonly fix?: string | undefined;
  readonly class?: FailureClass;
  readonly reason?: string;
}

/** Judges anything that was thrown: errors of the Azure SDKs, of the registry, of Kubernetes, of the network, and ours. */
export function classify(error: unknown): Classification {
  const reading = read(error);
  const code = reading.code ?? (reading.status === undefined ? 'Unknown' : `HTTP${reading.status}`);
  const rule = ruleFor(code, reading.message, reading.status);
  const fix = reading.fix ?? rule.fix;
  const retryAfterSeconds = reading.headers && readRetryAfter(reading.headers);
  const requestId = reading.headers?.('x-ms-request-id') ?? reading.headers?.('x-ms-correlation-request-id');
  return {
    code,
    class: reading.class ?? rule.class,
    reason: reading.reason ?? rule.reason,
    message: reading.message,
    answered: reading.status !== undefined,
    ...(fix !== undefined && { fix }),
    ...(reading.status !== undefined && { status: reading.status }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** Judges an operation that a service reports as failed: code and message are what the resource itself carries. */
export function classifyOperation(failure: { code: string; message: string }): Classification {
  const rule = ruleFor(failure.code, failure.message);
  return { ...failure, class: rule.class, reason: rule.reason, answered: true, ...(rule.fix && { fix: rule.fix }) };
}

/** Whether the service answered that the resource is not there. */
export function isNotFound(error: unknown): boolean {
  return read(error).status === 404;
}

/** Whether the service answered that the caller may not do that. */
export function isForbidden(error: unknown): boolean {
  return read(error).status === 403;
}

/** Whether the service answered that what was asked makes no sense now. */
export function isBadRequest(error: unknown): boolean {
  return read(error).status === 400;
}

/** A DELETE of what is not there has done its work. */
export function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

/** Whether the service answered that the resource is there already or in the way (409, 412). */
export function isConflict(error: unknown): boolean {
  const { status } = read(error);
  return status === 409 || status === 412;
}

/**
 * Whether the service answered that the resource is there, or being changed, for now. Azure says 409 for exhausted quota,
 * locks and unregistered providers too: those are no news of the resource, and must be told.
 */
export function isTransientConflict(error: unknown): boolean {
  return isConflict(error) && classify(error).class === 'retry';
}

/** `Retry-After` in seconds, from whichever form the service used (seconds, a date, milliseconds). */
export function readRetryAfter(header: (name: string) => string | undefined): number | undefined {
  const milliseconds = header('retry-after-ms') ?? header('x-ms-retry-after-ms');
  if (milliseconds !== undefined && Number.isFinite(Number(milliseconds))) return Number(milliseconds) / 1000;
  const value = header('retry-after');
  if (value === undefined) return undefined;
  const seconds = Number.isFinite(Number(value)) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Remembers the `Retry-After` of the responses of one SDK call, to which `onResponse` is given. */
export class RetryAfter {
  /** What the last response that had one asked for. */
  seconds: number | undefined;

  readonly onResponse = ({ headers }: { headers: { get(name: string): string | undefined } }): void => {
    this.seconds = readRetryAfter((name) => headers.get(name)) ?? this.seconds;
  };
}

function read(error: unknown): Reading {
  if (error instanceof SlipwayError) return readOurs(error);
  // Not by its class: the CommonJS clients throw those of another copy of the package.
  if (isRestError(error)) return readRest(error);
  const kubernetes = KubernetesError.safeParse(error);
  if (kubernetes.success) return readKubernetes(kubernetes.data);
  if (error instanceof Error) return readSignIn(error) ?? readPlain(error);
  return { message: String(error) };
}

function readOurs(error: SlipwayError): Reading {
  return {
    code: error.code,
    message: error.message,
    fix: error.fix,
    class: 'fatal',
    reason: 'asking again cannot help',
  };
}

const Body = z.object({ code: z.string().optional(), message: z.string().optional() });
/** ARM wraps its error, AKS does not, the registry gives a list. */
const ErrorBody = z.union([
  z.object({ errors: z.array(Body).nonempty() }).transform((body) => body.errors[0]),
  z.object({ error: Body }).transform((body) => body.error),
  Body,
]);

function readRest(error: RestError): Reading {
  const response = error.response;
  const body = ErrorBody.safeParse(parseJson(response?.bodyAsText));
  // A registry's list is not understood by the SDK, which then gives the whole body as the message.
  const told = body.success ? body.data : undefined;
  const storageCode = response?.headers.get('x-ms-error-code');
  return {
    code: told?.code ?? error.code ?? storageCode,
    message: told?.message ?? error.message,
    status: error.statusCode,
    headers: response && ((name) => response.headers.get(name)),
  };
}

/** `ApiException` of `@kubernetes/client-node`, known by its shape; `code` is the HTTP status. */
const KubernetesError = z.object({
  code: z.number(),
  message: z.string(),
  body: z.unknown(),
  headers: z.record(z.string(), z.string()),
});
const KubernetesStatus = z.object({ reason: z.string().optional(), message: z.string().optional() });

function readKubernetes(error: z.infer<typeof KubernetesError>): Reading {
  const status = KubernetesStatus.safeParse(typeof error.body === 'string' ? parseJson(error.body) : error.body);
  return {
    code: status.data?.reason,
    message: status.data?.message ?? error.message,
    status: error.code,
    headers: (name) => error.headers[name],
  };
}

/** Names of what `@azure/identity` throws; not by class, because it may come from another copy of the package. */
const SIGN_IN_ERRORS = ['AuthenticationError', 'AuthenticationRequiredError', 'CredentialUnavailableError'];

/** A sign-in that failed: the authority's own code stands at the start of the message, where there is one. */
function readSignIn(error: Error): Reading | undefined {
  if (error.name === 'AggregateAuthenticationError') {
    const tried = 'errors' in error && Array.isArray(error.errors) ? (error.errors as unknown[]) : [];
    const readings = tried.map((each) => (each instanceof Error ? readSignIn(each) : undefined));
    // Credentials that are not set up are no news; one that is and failed is.
    const failed = readings.find((reading) => reading && reading.code !== NOBODY);
    return { code: failed?.code ?? NOBODY, message: error.message };
  }
  if (!SIGN_IN_ERRORS.includes(error.name)) return undefined;
  return { code: /^([a-z]+(?:_[a-z]+)+): /.exec(error.message)?.[1] ?? NOBODY, message: error.message };
}

const NOBODY = 'CredentialUnavailable';

/** Network errors carry their code themselves or in a cause; an operation that was cut off is an `AbortError`. */
function readPlain(error: Error): Reading {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < MAX_CAUSES; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string') return { code: each.code, message: error.message };
  }
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return { code: 'RequestTimedOut', message: 'the service did not answer in time' };
  }
  return { message: error.message };
}

/** Causes that are followed: enough for an SDK that wraps a network error twice. */
const MAX_CAUSES = 4;

function parseJson(text: string | null | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
