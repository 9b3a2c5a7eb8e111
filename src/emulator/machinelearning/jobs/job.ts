import { z } from 'zod';
import type { OperationError } from '../../arm/operations.js';
import { tagsSchema } from '../../arm/body.js';
import type { Collection } from '../../core/documents.js';
import type { Emulator } from '../../core/emulator.js';

const inputSchema = z
  .looseObject({
    jobInputType: z.string(),
    uri: z.string().optional(),
    /** Of a literal. */
    value: z.string().optional(),
  })
  .refine(({ jobInputType, uri, value }) => (jobInputType === 'literal' ? value : uri) !== undefined, {
    error: 'a literal wants a value, every other input a uri',
  });

const outputSchema = z.looseObject({ jobOutputType: z.string(), uri: z.string().nullish() });

/** Names of inputs and outputs, which the command refers to and which become directories. */
const bindingName = z.string().regex(/^[\w-]+$/, 'names of inputs and outputs consist of letters, digits, _ and -');

/** A command job as it is asked for; fields that nothing here reads are kept and answered. */
export const commandJobSchema = z.looseObject({
  jobType: z.literal('Command', { error: 'only jobs of type Command are emulated' }),
  command: z.string().min(1),
  environmentId: z.string().min(1),
  computeId: z.string().nullish(),
  codeId: z.string().nullish(),
  inputs: z.record(bindingName, inputSchema).nullish(),
  outputs: z.record(bindingName, outputSchema).nullish(),
  environmentVariables: z.record(z.string(), z.string()).nullish(),
  limits: z.looseObject({ timeout: z.string().optional() }).nullish(),
  tags: tagsSchema.nullish(),
  properties: tagsSchema.nullish(),
});

export type CommandJob = z.output<typeof commandJobSchema>;
export type JobInput = z.output<typeof inputSchema>;

/** Azure's states, as far as a job here comes through them. */
export type JobStatus =
  | 'Starting'
  | 'Preparing'
  | 'Queued'
  | 'Running'
  | 'Finalizing'
  | 'CancelRequested'
  | 'Completed'
  | 'Failed'
  | 'Canceled';

/** A job as it is kept. */
export interface Job {
  id: string;
  name: string;
  /** Id of its workspace. */
  workspace: string;
  definition: CommandJob;
  status: JobStatus;
  error?: OperationError;
  createdAt: string;
  startedAt?: string;
  endedAt?: string;
  /** How an injected fault wants it to go. */
  fate?: OperationError | 'stuck';
}

export function jobs(emulator: Emulator): Collection<Job> {
  return emulator.documents.collection<Job>('ml-jobs');
}

export function isTerminal({ status }: Job): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}

/** Where a job's own files are in the artifact container, as in Azure. */
export function artifactPrefix(jobName: string): string {
  return `ExperimentRun/dcid.${jobName}`;
}

/** Why a job ended; becomes the job's error. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
