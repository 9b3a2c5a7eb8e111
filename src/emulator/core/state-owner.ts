import type { Documents } from './documents.js';
import { startOf } from './processes.js';
import { StartError } from './start-error.js';

interface Owner {
  pid: number;
  startedAt: string;
}

/**
 * Makes this process the only emulator on a state directory, and returns what gives it up. An owner that is no more is passed over.
 * Throws {@link StartError} when there is one that runs.
 */
export function ownState(documents: Documents): () => void {
  const owners = documents.collection<Owner>('owner');
  const owner = owners.get('emulator');
  if (owner !== undefined && startOf(owner.pid) === owner.startedAt) {
    throw new StartError(`an emulator runs on this state already, as process ${owner.pid}`);
  }
  owners.put('emulator', { pid: process.pid, startedAt: startOf(process.pid) ?? '' });
  return () => void owners.delete('emulator');
}
