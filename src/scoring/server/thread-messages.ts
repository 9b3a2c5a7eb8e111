import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { Batch } from './batch.js';
import type { OutputRows, StageTimes } from './image-model.js';

/** What an inference thread starts with. */
export interface ThreadData {
  directory: string;
  manifest: ConvertedModelManifest;
  intraOpThreads: number;
  maxPixels: number;
}

/** The images of one run of the model. A thread has one task at a time. */
export type Task = Batch;

/** `loaded` comes once, before the first task; then one answer for each task. `index` counts within the task. */
export type Answer =
  | { kind: 'loaded' }
  | { kind: 'scored'; outputs: OutputRows[]; times: StageTimes }
  | { kind: 'rejected'; index: number; reason: string }
  | { kind: 'failed'; reason: string };
