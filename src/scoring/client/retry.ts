import { status, type ServiceError } from '@grpc/grpc-js';

import { RETRY_PUSHBACK_METADATA } from '../protos/services.js';

/**
 * Whether a call that failed may succeed when it is repeated: the server cannot be reached or goes away (UNAVAILABLE), or its
 * queue is full. RESOURCE_EXHAUSTED also means that a request is too large, so it counts only where the server itself asks
 * for a repeat, as gRPC's retry design (A6) has it. Scoring changes nothing, so repeating it is harmless.
 */
export function mayPass({ code, metadata }: ServiceError): boolean {
  if (code === status.UNAVAILABLE) return true;
  const pushback = Number(metadata.get(RETRY_PUSHBACK_METADATA)[0] ?? -1);
  return code === status.RESOURCE_EXHAUSTED && pushback >= 0;
}
