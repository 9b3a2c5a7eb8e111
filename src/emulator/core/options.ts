import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { regionOf } from '../resources/regions.js';
import type { Place } from './place.js';

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
  /** What of its place the state is made with; kept from the first start on. */
  readonly place?: Partial<Place>;
  /** Whether its host may be other than a loopback address. */
  readonly allowRemote?: boolean;
}

/** A command line that cannot be used; the message says which flag and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: emulator --state DIR [OPTION…]

  --state DIR      where everything is kept; created when missing
  --cache DIR      caches that several states may share (default: DIR/cache)
  --time-scale N   recorded Azure durations are divided by N (default: 60)
  --realtime       durations as recorded: --time-scale 1
  --uv PATH        builds job environments with uv instead of venv and pip
  --python PATH    Python of job environments (default: python3)
  --port N         port of the Resource Manager endpoint (default: any free one, kept over restarts)

A state is made with these at its first start, and keeps them:
  --host NAME          host of every address: a name or IPv4 address of this machine (default: 127.0.0.1)
  --subscription UUID  the subscription (default: always the same)
  --tenant UUID        the tenant (default: a random one)
  --region NAME        where the seeded resources are (default: eastus)

  --allow-remote       listens where --host is although that is no loopback address
`;

/** Recorded durations are divided by this where nothing else is asked for: a cluster then takes four seconds. */
const usualTimeScale = 60;

/** Flags without a value. */
const switches = ['realtime', 'allow-remote'];

const flags = z.object({
  state: z.string({ error: '--state DIR is required' }).min(1, '--state DIR is required'),
  cache: z.string().min(1, '--cache wants a directory').optional(),
  'time-scale': z.coerce.number('--time-scale wants a number').positive('--time-scale must be above 0').optional(),
  realtime: z.boolean().default(false),
  uv: z.string().min(1, '--uv wants a path').optional(),
  python: z.string().min(1, '--python wants a path').optional(),
  port: z.coerce
    .number('--port wants a number')
    .int('--port wants a whole number')
    .min(1, '--port must be from 1 to 65535')
    .max(65535, '--port must be from 1 to 65535')
    .optional(),
  host: z.hostname('--host wants a name or an IPv4 address').optional(),
  subscription: z.guid('--subscription wants a UUID').toLowerCase().optional(),
  tenant: z.guid('--tenant wants a UUID').toLowerCase().optional(),
  region: z
    .string()
    .transform((name) => regionOf(name)?.name)
    .pipe(z.string('--region wants a region of Azure, for example westeurope'))
    .optional(),
  'allow-remote': z.boolean().default(false),
});

/** Reads the command line. Throws {@link UsageError} naming the flag that is wrong. */
export function parseOptions(args: string[]): EmulatorOptions {
  const result = flags.safeParse(parseFlags(args));
  if (!result.success) throw new UsageError(result.error.issues.map((issue) => issue.message).join('; '));
  const { realtime, 'time-scale': timeScale } = result.data;
  if (realtime && timeScale !== undefined) throw new UsageError('--realtime is a --time-scale: give one of them');
  const { state, cache, uv, python, port, host, subscription: subscriptionId, tenant: tenantId, region } = result.data;
  return {
    state: resolve(state),
    cache: resolve(cache ?? `${state}/cache`),
    timeScale: realtime ? 1 : (timeScale ?? usualTimeScale),
    ...(uv === undefined ? {} : { uv }),
    ...(python === undefined ? {} : { python }),
    ...(port === undefined ? {} : { port }),
    place: {
      ...(host === undefined ? {} : { host }),
      ...(subscriptionId === undefined ? {} : { subscriptionId }),
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(region === undefined ? {} : { region }),
    },
    allowRemote: result.data['allow-remote'],
  };
}

function parseFlags(args: string[]): Record<string, string | boolean | undefined> {
  const names = Object.keys(flags.shape);
  const type = (name: string) => (switches.includes(name) ? ('boolean' as const) : ('string' as const));
  try {
    return parseArgs({
      args,
      strict: true,
      options: Object.fromEntries(names.map((name) => [name, { type: type(name) }])),
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
