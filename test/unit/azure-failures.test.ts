import { createRequire } from 'node:module';
import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { ApiException } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { FAILURE_RULES } from '../../src/azure/failure-rules.js';
import { classify, classifyOperation, isConflict, isNotFound, readRetryAfter } from '../../src/azure/failures.js';
import { SlipwayError } from '../../src/deployment/errors.js';

/** An error as the SDKs throw it: a JSON body, and the code that they could read out of it. */
function restError(
  status: number,
  body: unknown,
  { code, headers = {} }: { code?: string; headers?: Record<string, string> } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = createPipelineRequest({ url: 'https://azure.example/' });
  return new RestError(text, {
    statusCode: status,
    request,
    response: { request, status, headers: createHttpHeaders(headers), bodyAsText: text },
    ...(code !== undefined && { code }),
  });
}

const armError = (code: string, message = '') => ({ error: { code, message } });

describe('an error that a service answered with', () => {
  it.each([
    [
      'a missing resource',
      restError(404, armError('ResourceNotFound', "The Resource 'X' under resource group 'Y' was not found.")),
      { code: 'ResourceNotFound', class: 'fatal', status: 404 },
    ],
    [
      "AKS' unwrapped body",
      restError(409, {
        code: 'OperationNotAllowed',
        details: null,
        message: 'Operation is not allowed: Another agentpool operation (user - Creating) is in progress',
        subcode: '',
      }),
      { code: 'OperationNotAllowed', class: 'retry', status: 409 },
    ],
    [
      'quota under the same code',
      restError(
        409,
        armError(
          'OperationNotAllowed',
          'Operation could not be completed as it results in exceeding approved standardDASv5Family Cores quota',
        ),
      ),
      { code: 'OperationNotAllowed', class: 'retrySlowly' },
    ],
    [
      'quota as a plain 400',
      restError(400, {
        code: 'ErrCode_InsufficientVCPUQuota',
        details: null,
        message: 'Insufficient vcpu quota requested 24, remaining 6',
      }),
      { code: 'ErrCode_InsufficientVCPUQuota', class: 'retrySlowly', status: 400 },
    ],
    [
      'a permission that is missing',
      restError(403, armError('AuthorizationFailed', "The client '..' does not have authorization")),
      { code: 'AuthorizationFailed', class: 'retrySlowly' },
    ],
    [
      'throttling',
      restError(429, armError('SubscriptionRequestsThrottled', 'exceeded'), { headers: { 'retry-after': '10' } }),
      { code: 'SubscriptionRequestsThrottled', class: 'retry', retryAfterSeconds: 10 },
    ],
    ['a size that is not offered', restError(400, armError('VMSizeNotSupported')), { class: 'fatal' }],
    ['an empty 503', restError(503, ''), { code: 'HTTP503', class: 'retry', status: 503 }],
    [
      'a code that nobody knows',
      restError(400, armError('FluxCapacitorEmpty')),
      { code: 'FluxCapacitorEmpty', class: 'retry' },
    ],
    ['an unknown 404', restError(404, armError('NoSuchThing')), { code: 'NoSuchThing', class: 'fatal' }],
    [
      "storage's code in a header",
      restError(404, '<Error/>', { headers: { 'x-ms-error-code': 'ContainerNotFound' } }),
      { code: 'ContainerNotFound', class: 'fatal' },
    ],
    [
      "the registry's list",
      restError(401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }),
      { code: 'UNAUTHORIZED', class: 'retrySlowly', message: 'authentication required' },
    ],
    [
      'a broken manifest',
      restError(400, { errors: [{ code: 'MANIFEST_INVALID', message: 'manifest invalid' }] }),
      { code: 'MANIFEST_INVALID', class: 'fatal' },
    ],
    [
      'a Kubernetes status as text',
      new ApiException(403, 'x', JSON.stringify({ reason: 'Forbidden', message: 'pods is forbidden' }), {}),
      { code: 'Forbidden', class: 'retrySlowly', message: 'pods is forbidden', status: 403 },
    ],
    [
      'a Kubernetes status as an object',
      new ApiException(422, 'x', { reason: 'Invalid', message: 'spec.replicas: must not be negative' }, {}),
      { code: 'Invalid', class: 'fatal', status: 422 },
    ],
  ])('is judged: %s', (_case, error, expected) => {
    expect(classify(error)).toMatchObject({ ...expected, answered: true });
  });
});

it('knows an error of the CommonJS clients, whose class is another', () => {
  const { RestError: Other } = createRequire(import.meta.url)('@azure/core-rest-pipeline') as {
    RestError: typeof RestError;
  };
  const error = new Other('gone', { statusCode: 404 });
  expect(error).not.toBeInstanceOf(RestError);
  expect(isNotFound(error)).toBe(true);
});

describe('an error without an answer', () => {
  const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
  const signIn = (name: string, message: string) => Object.assign(new Error(message), { name });
  const aborted = Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' });
  it.each([
    ['a refused connection', network('ECONNREFUSED'), { code: 'ECONNREFUSED', class: 'retry' }],
    ['one that an SDK wrapped', new RestError('x', { code: 'ECONNRESET' }), { code: 'ECONNRESET', class: 'retry' }],
    [
      'one in a cause',
      new Error('fetch failed', { cause: network('ENOTFOUND') }),
      { code: 'ENOTFOUND', class: 'retry' },
    ],
    ['an aborted request', aborted, { code: 'RequestTimedOut', class: 'retry' }],
    ['something that is no error', 'oops', { code: 'Unknown', class: 'retry', message: 'oops' }],
    [
      'a sign-in that cannot reach the authority',
      signIn('CredentialUnavailableError', 'endpoints_resolution_error: See https://aka.ms/…'),
      { code: 'endpoints_resolution_error', class: 'retry' },
    ],
    [
      'a sign-in with a wrong secret',
      signIn('AuthenticationRequiredError', 'invalid_client: Error(s): Description: AADSTS7000215'),
      { code: 'invalid_client', class: 'retrySlowly' },
    ],
    [
      'a chain of credentials of which one failed',
      Object.assign(signIn('AggregateAuthenticationError', 'ChainedTokenCredential authentication failed.'), {
        errors: [
          signIn('CredentialUnavailableError', 'ManagedIdentityCredential: Network unreachable.'),
          signIn('AuthenticationRequiredError', 'network_error: See https://aka.ms/…'),
        ],
      }),
      { code: 'network_error', class: 'retry' },
    ],
    [
      'a chain of credentials without one',
      signIn('AggregateAuthenticationError', 'ChainedTokenCredential authentication failed.'),
      { code: 'CredentialUnavailable', class: 'retrySlowly' },
    ],
    [
      'an error of ours',
      new SlipwayError('ModelNotFound', 'm', { fix: 'f' }),
      { code: 'ModelNotFound', class: 'fatal', fix: 'f' },
    ],
  ])('is judged: %s', (_case, error, expected) => {
    expect(classify(error)).toMatchObject({ ...expected, answered: false });
  });
});

it.each([
  ['AllocationFailed', 'retry'],
  ['QuotaExceeded', 'retrySlowly'],
  ['UserError', 'fatal'],
  ['SomethingNew', 'retry'],
] as const)('a failed operation with %s is %s', (code, expected) => {
  expect(classifyOperation({ code, message: 'm' }).class).toBe(expected);
});

it('tells absence and conflict by status', () => {
  expect([404, 409, 412, 400].map((status) => isNotFound(restError(status, '')))).toEqual([true, false, false, false]);
  expect([404, 409, 412, 400].map((status) => isConflict(restError(status, '')))).toEqual([false, true, true, false]);
});

it.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after-ms': '1500' }, 1.5],
  [{ 'x-ms-retry-after-ms': '250', 'retry-after': '9' }, 0.25],
  [{ 'retry-after': new Date(0).toUTCString() }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('reads the wait in %j as %s seconds', (headers: Record<string, string>, seconds) => {
  expect(readRetryAfter((name) => headers[name])).toBe(seconds);
});

it('gives every code a reason, and no code two rules for the same message', () => {
  for (const rule of FAILURE_RULES) expect(rule.reason, rule.code).not.toBe('');
  const unconditional = FAILURE_RULES.filter(({ message }) => message === undefined).map(({ code }) => code);
  const twice = unconditional.filter((code, index) => unconditional.indexOf(code) !== index);
  expect(twice).toEqual([]);
});
