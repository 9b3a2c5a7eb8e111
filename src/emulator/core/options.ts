import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';

/** How one emulator process is set up. */
export interface EmulatorOptions {
  /** Absolute directory of this emulator's state. Deleting it is a clean start. */
  readonly state: string;
  /** Absolute directory of content-addressed caches, which several states may share. */
  readonly cache: string;
  /** Recorded Azure durations are divided by this. */
  readonly timeScale: number;
  /** The `uv` executable that builds job environments; without it `python -m venv` and pip do. */
  readonly uv?: string;
  /** The Python interpreter that job environments are built from. */
  readonly python?: string;
  /** Port of the Resource Manager endpoint; any free one by default. */
  readonly port?: number;
}

/** A command line that cannot be used; the message says which flag and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: emulator --state DIR [--cache DIR] [--time-scale N] [--uv PATH] [--python PATH] [--port N]

  --state DIR      where everything is kept; created when missing
  --cache DIR      caches that several states may share (default: DIR/cache)
  --time-scale N   recorded Azure durations are divided by N (default: 60)
  --uv PATH        builds job environments with uv instead of venv and pip
  --python PATH    Python of job environments (default: python3)
  --port N         port of the Resource Manager endpoint (default: any free one, kept over restarts)
`;

const flags = z.object({
  state: z.string({ error: '--state DIR is required' }).min(1, '--state DIR is required'),
  cache: z.string().min(1, '--cache wants a directory').optional(),
  'time-scale': z.coerce.number('--time-scale wants a number').positive('--time-scale must be above 0').default(60),
  uv: z.string().min(1, '--uv wants a path').optional(),
  python: z.string().min(1, '--python wants a path').optional(),
  port: z.coerce
    .number('--port wants a number')
    .int('--port wants a whole number')
    .min(1, '--port must be from 1 to 65535')
    .max(65535, '--port must be from 1 to 65535')
    .optional(),
});

/** Reads the command line. Throws {@link UsageError} naming the flag that is wrong. */
export function parseOptions(args: string[]): EmulatorOptions {
  const result = flags.safeParse(parseFlags(args));
  if (!result.success) throw new UsageError(result.error.issues.map((issue) => issue.message).join('; '));
  const { state, cache, uv, python, port } = result.data;
  return {
    state: resolve(state),
    cache: resolve(cache ?? `${state}/cache`),
    timeScale: result.data['time-scale'],
    ...(uv === undefined ? {} : { uv }),
    ...(python === undefined ? {} : { python }),
    ...(port === undefined ? {} : { port }),
  };
}

function parseFlags(args: string[]): Record<string, string | undefined> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      strict: true,
      options: { state: text, cache: text, 'time-scale': text, uv: text, python: text, port: text },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
