import { pathToFileURL } from 'node:url';
import { packaged } from './home.js';

/** What scripts/lock.mjs offers; it is plain Node because it runs before anything is built. */
interface Lock {
  readonly withLock: <T>(directory: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Runs `work` while no other process of this machine holds the same lock, which it waits for.
 *
 * @param directory made while the lock is held; its parent must be there
 */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const module: unknown = await import(pathToFileURL(packaged('scripts', 'lock.mjs')).href);
  return (module as Lock).withLock(directory, work);
}
