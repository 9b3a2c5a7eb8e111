import { SlipwayError } from '../deployment/errors.js';
import type { ProblemKind } from '../scoring/client/connection-problem.js';
import { PredictError, type StatusName } from '../scoring/client/predict-error.js';

interface Explanation {
  readonly code: string;
  readonly fix: string;
}

const PROBLEMS: Readonly<Record<ProblemKind, Explanation>> = {
  unreachable: {
    code: 'ScoringUnreachable',
    fix: 'Correct the address, or see whether the service runs: slipway logs service SERVICE.',
  },
  'tls-expected': {
    code: 'TlsExpected',
    fix: 'Say --url grpcs://HOST:PORT, and --ca FILE where its authority is a private one.',
  },
  'tls-not-spoken': { code: 'TlsNotSpoken', fix: 'Say --url grpc://HOST:PORT, without --ca and --cert.' },
  'certificate-not-trusted': {
    code: 'CertificateNotTrusted',
    fix: 'Give the authority that signed it with --ca FILE; one that has ended is renewed where it was made.',
  },
  'certificate-of-another-name': {
    code: 'CertificateOfAnotherName',
    fix: 'Say which of its names to expect with --server-name NAME, or use an address that it names.',
  },
  'client-certificate-refused': {
    code: 'ClientCertificateRefused',
    fix: 'Give --cert FILE and --cert-key FILE, of an authority that the service trusts.',
  },
};

/** Statuses that say nothing of the request itself. */
const NO_ANSWER: readonly StatusName[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED'];

/**
 * What a failed scoring means to a person; what is no failure of a call stays as it is.
 *
 * @param withKey whether a key was sent
 */
export function explained(error: unknown, withKey: boolean): unknown {
  if (!(error instanceof PredictError)) return error;
  const { code, fix } = explanationOf(error);
  const message =
    error.code === 'UNAUTHENTICATED'
      ? `The service ${withKey ? 'does not know that key' : 'asks for a key'} (${error.message})`
      : error.message;
  return new SlipwayError(code, error.problem ? message : `${error.code}: ${message}`, { fix });
}

function explanationOf({ code, problem }: PredictError): Explanation {
  if (problem) return PROBLEMS[problem.kind];
  if (code === 'UNAUTHENTICATED') {
    return { code: 'KeyRefused', fix: 'Give one with --key KEY: slipway keys show SERVICE prints both.' };
  }
  if (code === 'FAILED_PRECONDITION') {
    const fix =
      'Decode and resize the photos yourself, and send them as a tensor of that type and shape: with `tensor` of PredictClient.predict, with any client of TensorFlow Serving, or over REST.';
    return { code: 'TakesNoPhotos', fix };
  }
  if (NO_ANSWER.includes(code)) return PROBLEMS.unreachable;
  return { code: 'ScoringRefused', fix: 'Correct what the message names; --model NAME says which model is meant.' };
}
