import { z } from 'zod';
import { ArmError } from './errors.js';

/** Checks a request's body. Throws {@link ArmError} `InvalidRequestContent` naming what is wrong. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ArmError(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${z.prettifyError(result.error)}'.`,
  );
}

/** Tags of a resource. */
export const tagsSchema = z.record(z.string(), z.string());
