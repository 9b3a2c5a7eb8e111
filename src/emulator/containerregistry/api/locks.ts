import { RegistryError } from '../errors.js';
import type { ChangeableAttributes } from '../storage/repositories.js';

interface Lockable {
  readonly changeableAttributes: ChangeableAttributes;
}

/** @throws {RegistryError} DENIED where something is locked against being deleted */
export function checkDeletable(item: Lockable): void {
  if (!item.changeableAttributes.deleteEnabled) throw locked('delete');
}

/** @throws {RegistryError} DENIED where something is there and locked against being changed */
export function checkWritable(item: Lockable | undefined): void {
  if (item?.changeableAttributes.writeEnabled === false) throw locked('write');
}

function locked(operation: string): RegistryError {
  return new RegistryError(405, 'DENIED', `The operation is disallowed: it is locked against ${operation}.`);
}
