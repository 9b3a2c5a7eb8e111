import { totalmem } from 'node:os';
import { z } from 'zod';

import type { CertificateFiles } from './certificates.js';
import { containerCpus } from './container-cpus.js';
import {
  BYTES_PER_PIXEL,
  IMAGE_MEMORY_SHARE,
  MAX_BATCH_WAIT_MS,
  MAX_DEFAULT_THREADS,
  MAX_PIXELS,
  MAX_ROWS_PER_RUN,
  QUEUE_LIMITS,
  QUEUE_MEMORY_SHARE,
  type BatchLimits,
  type QueueLimits,
} from './limits.js';
import type { ServedModel } from './served-model.js';

const port = (otherwise: number) => z.coerce.number().int().min(0).max(65_535).default(otherwise);
const seconds = (otherwise: number) => z.coerce.number().positive().default(otherwise);
const count = (otherwise: number) => z.coerce.number().int().positive().default(otherwise);
const threads = z.coerce.number().int().positive().optional();

const file = z.string().min(1).optional();

const Environment = z
  .object({
    MODEL_DIR: z.string().min(1),
    MODEL_NAME: z.string().min(1),
    MODEL_VERSION: count(1),
    MODEL_VERSION_LABELS: z.string().default(''),
    HOST: z.string().min(1).default('0.0.0.0'),
    GRPC_PORT: port(8500),
    HTTP_PORT: port(8501),
    HTTPS_PORT: port(8502),
    TLS_CERT_FILE: file,
    TLS_KEY_FILE: file,
    TLS_CLIENT_CA_FILE: file,
    SCORING_KEYS_DIR: file,
    MAX_CONNECTION_AGE_SECONDS: seconds(300),
    DRAIN_SECONDS: seconds(10),
    INTRA_OP_THREADS: threads,
    WORKER_THREADS: threads,
    MAX_PIXELS: z.coerce.number().int().positive().optional(),
    MAX_BATCH_SIZE: z.coerce.number().int().min(1).max(MAX_ROWS_PER_RUN).default(1),
    BATCH_TIMEOUT_MS: z.coerce.number().min(0).max(MAX_BATCH_WAIT_MS).default(0),
    MAX_QUEUED_IMAGES: count(QUEUE_LIMITS.images),
    MAX_QUEUE_SECONDS: seconds(QUEUE_LIMITS.seconds),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  })
  .refine((env) => (env.TLS_CERT_FILE === undefined) === (env.TLS_KEY_FILE === undefined), {
    path: ['TLS_CERT_FILE'],
    message: 'goes together with TLS_KEY_FILE',
  })
  .refine((env) => env.TLS_CLIENT_CA_FILE === undefined || env.TLS_CERT_FILE !== undefined, {
    path: ['TLS_CLIENT_CA_FILE'],
    message: 'needs TLS_CERT_FILE',
  });

/** What the scoring server is told by its environment. */
export interface Config {
  modelDirectory: string;
  served: ServedModel;
  host: string;
  grpcPort: number;
  /** Probes and metrics; without certificates REST too. */
  httpPort: number;
  /** REST where there are certificates. */
  httpsPort: number;
  /** With them gRPC and REST are served over TLS. */
  certificates: CertificateFiles | undefined;
  /** Directory with the files `primary` and `secondary`; without it every caller may score. */
  keysDirectory: string | undefined;
  maxConnectionAgeSeconds: number;
  drainSeconds: number;
  threads: ThreadPlan;
  maxPixels: number;
  queue: QueueLimits;
  /** One image is no batching: then a run of the model has images of one request alone. */
  batch: BatchLimits;
  logLevel: string;
}

/** `workers` threads, each running the model on `intraOp` CPUs. */
export interface ThreadPlan {
  workers: number;
  intraOp: number;
}

/**
 * Divides the CPUs between inference threads: workers × intra-op threads never exceeds them, for beyond that every request
 * becomes slower. What is asked for and does not fit is cut down.
 */
export function planThreads(
  cpus: number,
  asked: { workers?: number | undefined; intraOp?: number | undefined },
): ThreadPlan {
  if (asked.intraOp) {
    const intraOp = Math.min(asked.intraOp, cpus);
    return { workers: Math.min(asked.workers ?? cpus, Math.floor(cpus / intraOp)), intraOp };
  }
  const workers = Math.min(asked.workers ?? MAX_DEFAULT_THREADS, cpus);
  return { workers, intraOp: Math.floor(cpus / workers) };
}

/**
 * Most pixels of one image so that every thread can score one of that size without the container running out of memory.
 *
 * @param memory bytes that the container may use
 */
export function pixelLimit(memory: number, threads: number): number {
  return Math.min(MAX_PIXELS, Math.floor((memory * IMAGE_MEMORY_SHARE) / threads / BYTES_PER_PIXEL));
}

/**
 * Reads the configuration.
 *
 * @throws Error naming every variable that is missing or wrong
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`wrong environment: ${problems.join('; ')}`);
  }
  const env = parsed.data;
  const memory = containerMemory();
  const plan = planThreads(containerCpus(), { workers: env.WORKER_THREADS, intraOp: env.INTRA_OP_THREADS });
  return {
    modelDirectory: env.MODEL_DIR,
    served: {
      name: env.MODEL_NAME,
      version: env.MODEL_VERSION,
      labels: env.MODEL_VERSION_LABELS.split(',').filter((label) => label !== ''),
    },
    host: env.HOST,
    grpcPort: env.GRPC_PORT,
    httpPort: env.HTTP_PORT,
    httpsPort: env.HTTPS_PORT,
    certificates: certificatesOf(env),
    keysDirectory: env.SCORING_KEYS_DIR,
    maxConnectionAgeSeconds: env.MAX_CONNECTION_AGE_SECONDS,
    drainSeconds: env.DRAIN_SECONDS,
    threads: plan,
    maxPixels: env.MAX_PIXELS ?? pixelLimit(memory, plan.workers),
    queue: {
      images: env.MAX_QUEUED_IMAGES,
      bytes: Math.floor(memory * QUEUE_MEMORY_SHARE),
      seconds: env.MAX_QUEUE_SECONDS,
    },
    batch: { images: env.MAX_BATCH_SIZE, waitMs: env.BATCH_TIMEOUT_MS },
    logLevel: env.LOG_LEVEL,
  };
}

function certificatesOf(env: z.infer<typeof Environment>): CertificateFiles | undefined {
  const { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: clientCa } = env;
  return certificate !== undefined && key !== undefined ? { certificate, key, clientCa } : undefined;
}

/** Bytes that the container may use: its limit, or what the machine has. */
function containerMemory(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
