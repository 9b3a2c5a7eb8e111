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
  /** Those that there are, in every group. */
  list(): TrackedResource[];
}

/** What resource groups can hold here: each provider adds its types. */
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
}
