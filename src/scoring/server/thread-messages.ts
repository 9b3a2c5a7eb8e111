import type { ConvertedModelManifest } from '../../deployment/converted-model.js';
import type { OutputRows } from './image-model.js';

/** What an inference thread starts with. */
export interface ThreadData {
  directory: string;
  manifest: ConvertedModelManifest;
  intraOpThreads: number;
}

/** Images for one run of the model. A thread has one task at a time. */
export interface Task {
  images: Uint8Array<ArrayBuffer>[];
}

/** `loaded` comes once, before the first task; then one answer for each task. `index` counts within the task. */
export type Answer =
  | { kind: 'loaded' }
  | { kind: 'scored'; outputs: OutputRows[] }
  | { kind: 'rejected'; index: number; reason: string }
  | { kind: 'failed'; reason: string };
