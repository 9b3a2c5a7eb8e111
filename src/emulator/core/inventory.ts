/** One live resource. */
export interface InventoryItem {
  kind: string;
  id: string;
  name: string;
  /** Tags or annotations, from which the owner is read. */
  tags?: Readonly<Record<string, string>>;
  /** Overrides what the tags say, for kinds that have none (role assignments: the description). */
  owner?: string;
  /** Content-addressed; may stay when its first user goes. */
  cache?: boolean;
}

export type InventorySource = () => InventoryItem[] | Promise<InventoryItem[]>;

/** A resource as the inventory answers it. */
export type InventoryEntry = Omit<InventoryItem, 'tags'>;

const ownerTags = ['slipway-owner', 'slipway.dev/owner'];

/** Everything that lives in this Azure, with who owns it. */
export class Inventory {
  private readonly sources: InventorySource[] = [];

  /** Adds what lists a room's live resources. */
  source(source: InventorySource): void {
    this.sources.push(source);
  }

  /** All resources, or those whose owner contains `owner`; `ownerTag` names the tag that holds the owner. */
  async list(filter: { owner?: string; ownerTag?: string } = {}): Promise<InventoryEntry[]> {
    const items = (await Promise.all(this.sources.map(async (source) => source()))).flat();
    const tags = filter.ownerTag === undefined ? ownerTags : [filter.ownerTag];
    const entries = items.map((item) => withOwner(item, tags));
    const { owner } = filter;
    return owner === undefined ? entries : entries.filter((entry) => entry.owner?.includes(owner));
  }
}

function withOwner({ tags, ...entry }: InventoryItem, ownerTagNames: readonly string[]): InventoryEntry {
  const owner = entry.owner ?? ownerTagNames.map((tag) => tags?.[tag]).find((value) => value !== undefined);
  return owner === undefined ? entry : { ...entry, owner };
}
