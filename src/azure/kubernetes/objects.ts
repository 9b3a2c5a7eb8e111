import type { V1DeleteOptions, V1ObjectMeta } from '@kubernetes/client-node';
import { FailureType, SlipwayError } from '../../deployment/errors.js';
import { OWNER_ANNOTATION, isOfService, type Identity } from '../../deployment/names.js';
import { isConflict, isNotFound } from '../failures.js';

/** What every Kubernetes object has, as far as ownership goes. */
export interface Owned {
  readonly metadata?: V1ObjectMeta;
}

/** How one kind of object is read and created under a name. */
export interface Access<T extends Owned> {
  /** For people: `Deployment`, `Service`, `Secret`. */
  readonly kind: string;
  readonly name: string;
  read(): Promise<T>;
  create(): Promise<T>;
}

/** The ownership mark of an object. */
export function ownerOf(object: Owned): string | undefined {
  return object.metadata?.annotations?.[OWNER_ANNOTATION];
}

/** Whether an object's deletion has begun. */
export function isGoing(object: Owned): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/** Reads an object; undefined when it is not there. */
export async function readIfPresent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Creates an object unless it is there. What an earlier attempt or deployment of the same service left is taken over as it
 * is. Looks before it creates, so that a repeat sends nothing that changes state.
 *
 * @throws SlipwayError `NameConflict` when an object of that name is not this service's
 */
export async function createOnce<T extends Owned>(identity: Identity, access: Access<T>): Promise<T> {
  const found = (await readIfPresent(() => access.read())) ?? (await createIfAbsent(access)) ?? (await access.read());
  requireOurs(identity, access, found);
  // Not fatal: the next look finds it gone, and creates it.
  if (isGoing(found)) throw new Error(`${access.kind} ${access.name} of an earlier deployment is still being deleted`);
  return found;
}

/** @throws SlipwayError `NameConflict` when the object is not this service's */
export function requireOurs(identity: Identity, { kind, name }: { kind: string; name: string }, object: Owned): void {
  if (isOfService(ownerOf(object), identity)) return;
  throw new SlipwayError(
    FailureType.NameConflict,
    `${kind} ${name} exists in the cluster and was not made by this service`,
    { fix: `Rename the service, or remove ${kind} ${name} yourself if it is not needed.` },
  );
}

/** Deletes with what depends on it, and only the very object that was looked at. */
export function deletionOf(object: Owned): V1DeleteOptions {
  const uid = object.metadata?.uid;
  return { propagationPolicy: 'Foreground', ...(uid !== undefined && { preconditions: { uid } }) };
}

/** Runs a deletion; what is gone, or replaced by another object in between (409), is deleted. */
export async function deleteIfPresent(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

async function createIfAbsent<T extends Owned>(access: Access<T>): Promise<T | undefined> {
  try {
    return await access.create();
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}
