import type { Emulator } from '../core/emulator.js';
import type { Registry } from './api/registry.js';
import type { ObjectStore } from './api/store.js';
import type { EventRecorder } from './controllers/event-recorder.js';

/** What the parts of one cluster share. */
export interface ClusterContext {
  /** Resource id of the cluster. */
  readonly id: string;
  readonly emulator: Emulator;
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly recorder: EventRecorder;
}
