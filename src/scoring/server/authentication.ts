import {
  ServerInterceptingCall,
  status,
  type MetadataValue,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { KEY_REFRESH_MS } from './limits.js';

const KEY_FILES = ['primary', 'secondary'];

/** The keys that callers may show: two, so that one can be replaced while the other is in use. */
export class ScoringKeys {
  private digests: Buffer[] = [];
  private readAt = -Infinity;

  /** @throws Error when the directory has no key */
  constructor(private readonly directory: string) {
    this.refresh();
    if (this.digests.length === 0) throw new Error(`${directory} has neither of the files ${KEY_FILES.join(', ')}`);
  }

  /** Whether the value of the `authorization` metadata is `Bearer KEY` with one of the keys; takes equally long for any value. */
  accept(authorization: MetadataValue | undefined): boolean {
    if (performance.now() - this.readAt > KEY_REFRESH_MS) this.refresh();
    const shown = sha256(String(authorization ?? '').replace(/^bearer +/i, ''));
    return this.digests.filter((key) => timingSafeEqual(key, shown)).length > 0;
  }

  private refresh(): void {
    this.digests = KEY_FILES.map((file) => readKey(join(this.directory, file)))
      .filter((key) => key !== undefined)
      .map(sha256);
    this.readAt = performance.now();
  }
}

/** What a caller without a key is told. */
export const KEY_REQUIRED = 'authorization: Bearer KEY is required';

/** Probes have no key, and learn nothing but whether the server serves. */
const HEALTH_METHODS = /^\/grpc\.health\.v1\.Health\//;

/**
 * Refuses a call without a key before its message is read.
 *
 * @param onRefused told of every refusal
 */
export function requireKey(keys: ScoringKeys, onRefused: () => void): ServerInterceptor {
  return (method, call: ServerInterceptingCallInterface) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            if (HEALTH_METHODS.test(method.path) || keys.accept(metadata.get('authorization')[0])) {
              return proceed(metadata);
            }
            onRefused();
            call.sendStatus({
              code: status.UNAUTHENTICATED,
              details: `metadata ${KEY_REQUIRED}`,
            });
          },
        }),
    });
}

/** @returns undefined when there is no such file or it is empty: while a Secret is replaced, or with one key only */
function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();
