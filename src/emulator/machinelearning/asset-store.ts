import { isDeepStrictEqual } from 'node:util';
import { resourceKey } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import type { Effect } from '../core/journal.js';
import type { AssetProperties, AssetType } from './asset-types.js';
import { userError } from './errors.js';

/** A version of an asset, as it is kept. */
export interface AssetVersion {
  id: string;
  name: string;
  version: string;
  properties: AssetProperties;
  createdAt: string;
  modifiedAt: string;
  /** Orders versions made within the same millisecond. */
  order: number;
}

export interface AssetContainer {
  id: string;
  name: string;
  properties: Record<string, unknown>;
  createdAt: string;
  modifiedAt: string;
}

/** The assets of one type in all workspaces. */
export class AssetStore {
  readonly versions: Collection<AssetVersion>;
  readonly containers: Collection<AssetContainer>;
  /** The highest number ever given by container: numbers go on after deletes. */
  private readonly highest: Collection<number>;

  constructor(
    private readonly emulator: Emulator,
    readonly type: AssetType,
  ) {
    this.versions = emulator.documents.collection(`ml-${type.path}-versions`);
    this.containers = emulator.documents.collection(`ml-${type.path}`);
    this.highest = emulator.documents.collection(`ml-${type.path}-numbers`);
  }

  /** Versions of a container, newest first. */
  versionsOf(containerId: string): AssetVersion[] {
    return this.versions.list(`${resourceKey(containerId)}/versions/`).sort((a, b) => b.order - a.order);
  }

  nextVersion(containerId: string): string {
    return String((this.highest.get(resourceKey(containerId)) ?? 0) + 1);
  }

  /** Forgets all of a workspace, their numbers too. */
  removeAll(workspaceId: string): void {
    for (const collection of [this.versions, this.containers, this.highest]) {
      for (const [key] of collection.entries(`${resourceKey(workspaceId)}/`)) collection.delete(key);
    }
  }

  putContainer(id: string, name: string, properties: Record<string, unknown>): Put<AssetContainer> {
    const existing = this.containers.get(resourceKey(id));
    if (existing !== undefined && isDeepStrictEqual(existing.properties, properties)) {
      return { value: existing, change: 'unchanged' };
    }
    const now = this.emulator.clock.now().toISOString();
    const value = { id, name, properties, createdAt: existing?.createdAt ?? now, modifiedAt: now };
    this.containers.put(resourceKey(id), value);
    return { value, change: existing === undefined ? 'created' : 'updated' };
  }

  /** Makes a version, and its container where there is none yet. Throws when it would change what may not change. */
  putVersion(containerId: string, name: string, version: string, properties: AssetProperties): Put<AssetVersion> {
    const id = `${containerId}/versions/${version}`;
    const existing = this.versions.get(resourceKey(id));
    if (existing !== undefined) {
      if (isDeepStrictEqual(existing.properties, properties)) return { value: existing, change: 'unchanged' };
      const changed = this.type.immutable.find((field) => existing.properties[field] !== properties[field]);
      if (changed !== undefined) {
        throw userError(
          `${name}:${version} exists, and its ${changed} is immutable. Create a new version instead.`,
          409,
        );
      }
    }
    const now = this.emulator.clock.now().toISOString();
    if (!this.containers.get(resourceKey(containerId))) this.putContainer(containerId, name, { isArchived: false });
    const highest = this.highest.get(resourceKey(containerId)) ?? 0;
    if (/^\d+$/.test(version) && Number(version) > highest) this.highest.put(resourceKey(containerId), Number(version));
    const value: AssetVersion = {
      id,
      name,
      version,
      properties,
      createdAt: existing?.createdAt ?? now,
      modifiedAt: now,
      order: existing?.order ?? 1 + Math.max(0, ...this.versionsOf(containerId).map(({ order }) => order)),
    };
    this.versions.put(resourceKey(id), value);
    return { value, change: existing === undefined ? 'created' : 'updated' };
  }
}

export interface Put<T> {
  value: T;
  change: Effect['change'];
}
