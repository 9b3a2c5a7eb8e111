import { resourceKey } from './resource-id.js';

/** A resource as the lists of Resource Manager have it, whatever its type. */
export interface TrackedResource {
  readonly id: string;
  readonly location: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kind?: string;
  readonly sku?: Readonly<Record<string, unknown>>;
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly provisioningState: string;
  readonly createdTime?: string;
}

/** A type of resources that resource groups hold. */
export interface ResourceType {
  /** `NAMESPACE/TYPE`, such as `Microsoft.Storage/storageAccounts`. */
  readonly type: string;
  /** Kind as in the inventory. */
  readonly kind: string;
  /** Those that there are, in every group. */
  list(): TrackedResource[];
  /** Ends what runs in a resource, and forgets it with all that is in it. What is not there is fine. */
  remove(id: string): void | Promise<void>;
}

/** What resource groups can hold here: each provider adds its types, after those that its resources depend on. */
export class ResourceTypes {
  private readonly types: ResourceType[] = [];

  add(type: ResourceType): void {
    this.types.push(type);
  }

  /** Every resource with its type, in the order of their ids. */
  resources(): (TrackedResource & { type: string })[] {
    const all = this.types.flatMap((each) => each.list().map((resource) => ({ ...resource, type: each.type })));
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Removes what a group holds, dependents first, and tells of each resource when it is gone. */
  async removeAll(groupId: string, onRemoved: (kind: string, id: string) => void): Promise<void> {
    for (const type of this.types.toReversed()) {
      const members = type.list().filter(({ id }) => resourceKey(id).startsWith(`${resourceKey(groupId)}/`));
      for (const { id } of members) {
        await type.remove(id);
        onRemoved(type.kind, id);
      }
    }
  }
}
