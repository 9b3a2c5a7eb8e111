import type { IncomingMessage } from 'node:http';

import { MAX_REST_BODY_BYTES } from './limits.js';
import { resourceExhausted } from './status-error.js';

/**
 * Reads the body of a request. One over {@link MAX_REST_BODY_BYTES} is not kept, but read on for a while: a client that is still
 * writing would otherwise see a broken connection instead of the reason.
 *
 * @throws StatusError RESOURCE_EXHAUSTED
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_REST_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (length > 2 * MAX_REST_BODY_BYTES) break;
  }
  if (length > MAX_REST_BODY_BYTES) {
    throw resourceExhausted(`the body is over the limit of ${MAX_REST_BODY_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}
