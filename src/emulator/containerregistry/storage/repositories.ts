import type { Clock } from '../../core/clock.js';
import type { Collection, Documents } from '../../core/documents.js';
import type { Effect } from '../../core/journal.js';
import { isDigest } from '../names.js';

/** What a client may do with an item; ACR's locks. */
export interface ChangeableAttributes {
  deleteEnabled: boolean;
  writeEnabled: boolean;
  listEnabled: boolean;
  readEnabled: boolean;
}

interface Dated {
  createdTime: string;
  lastUpdateTime: string;
  changeableAttributes: ChangeableAttributes;
}

export interface Repository extends Dated {
  name: string;
}

/** What is known of a manifest beside its bytes. */
export interface Manifest extends Dated {
  digest: string;
  mediaType: string;
  /** Bytes of everything that the image needs, itself included. */
  imageSize: number;
  configMediaType?: string;
  architecture?: string;
  os?: string;
  /** Digests of config and layers. */
  blobs: string[];
  /** Manifests of an index. */
  manifests: { digest: string; architecture?: string; os?: string }[];
}

export interface Tag extends Dated {
  name: string;
  digest: string;
}

/** A manifest as it is pushed, before it is dated. */
export type NewManifest = Omit<Manifest, keyof Dated>;

interface BlobLink {
  linkedAt: string;
}

const unlocked: ChangeableAttributes = {
  deleteEnabled: true,
  writeEnabled: true,
  listEnabled: true,
  readEnabled: true,
};

/** Repositories of one registry: manifests, tags and the blobs that were pushed or mounted to each. */
export class Repositories {
  private readonly repositories: Collection<Repository>;
  private readonly manifestRecords: Collection<Manifest>;
  private readonly tagRecords: Collection<Tag>;
  private readonly blobLinks: Collection<BlobLink>;

  constructor(
    private readonly registry: string,
    documents: Documents,
    private readonly clock: Clock,
  ) {
    this.repositories = documents.collection<Repository>('registry-repositories');
    this.manifestRecords = documents.collection<Manifest>('registry-manifests');
    this.tagRecords = documents.collection<Tag>('registry-tags');
    this.blobLinks = documents.collection<BlobLink>('registry-blobs');
  }

  /** Repositories that hold a manifest, by name. One that holds none does not exist for a client. */
  list(): Repository[] {
    return this.repositories.list(`${this.registry}/`).filter(({ name }) => this.manifests(name).length > 0);
  }

  get(repository: string): Repository | undefined {
    const found = this.repositories.get(this.id(repository));
    return found !== undefined && this.manifests(repository).length > 0 ? found : undefined;
  }

  manifests(repository: string): Manifest[] {
    return this.manifestRecords.list(`${this.id(repository)}@`);
  }

  tags(repository: string): Tag[] {
    return this.tagRecords.list(`${this.id(repository)}:`);
  }

  tag(repository: string, tag: string): Tag | undefined {
    return this.tagRecords.get(`${this.id(repository)}:${tag}`);
  }

  /** The manifest that a tag or digest names. */
  manifest(repository: string, reference: string): Manifest | undefined {
    const digest = isDigest(reference) ? reference : this.tag(repository, reference)?.digest;
    return digest === undefined ? undefined : this.manifestRecords.get(`${this.id(repository)}@${digest}`);
  }

  /** Keeps a manifest, points `tag` at it, and says what that changed. Its bytes must be on disk already. */
  putManifest(repository: string, manifest: NewManifest, tag: string | undefined): Effect {
    const now = this.clock.now().toISOString();
    const dated = { createdTime: now, lastUpdateTime: now, changeableAttributes: unlocked };
    const manifestId = `${this.id(repository)}@${manifest.digest}`;
    const isNew = this.manifestRecords.get(manifestId) === undefined;
    const pointed = tag === undefined ? undefined : this.tag(repository, tag);
    const moves = tag !== undefined && pointed?.digest !== manifest.digest;

    const known = this.repositories.get(this.id(repository));
    if (isNew || moves) {
      this.repositories.put(this.id(repository), { ...dated, ...known, name: repository, lastUpdateTime: now });
    }
    if (isNew) this.manifestRecords.put(manifestId, { ...dated, ...manifest });
    if (moves) {
      const moved = { ...dated, ...pointed, name: tag, digest: manifest.digest, lastUpdateTime: now };
      this.tagRecords.put(`${this.id(repository)}:${tag}`, moved);
    }
    if (isNew) return { change: 'created', kind: 'manifest', id: manifestId };
    if (!moves) return { change: 'unchanged', kind: 'manifest', id: manifestId };
    return { change: pointed === undefined ? 'created' : 'updated', kind: 'tag', id: `${this.id(repository)}:${tag}` };
  }

  /** Removes a manifest and the tags that point at it, whose names it returns. */
  deleteManifest(repository: string, digest: string): string[] {
    const tags = this.tags(repository).filter((tag) => tag.digest === digest);
    for (const { name } of tags) this.deleteTag(repository, name);
    this.manifestRecords.delete(`${this.id(repository)}@${digest}`);
    if (this.manifests(repository).length === 0) this.repositories.delete(this.id(repository));
    return tags.map(({ name }) => name);
  }

  /** Whether there was one. The manifest stays, without a tag. */
  deleteTag(repository: string, tag: string): boolean {
    return this.tagRecords.delete(`${this.id(repository)}:${tag}`);
  }

  /** Removes a repository with everything in it. */
  delete(repository: string): { manifestsDeleted: string[]; tagsDeleted: string[] } {
    const manifestsDeleted = this.manifests(repository).map(({ digest }) => digest);
    const tagsDeleted = manifestsDeleted.flatMap((digest) => this.deleteManifest(repository, digest));
    return { manifestsDeleted, tagsDeleted };
  }

  updateRepository(repository: Repository): void {
    this.repositories.put(this.id(repository.name), repository);
  }

  updateManifest(repository: string, manifest: Manifest): void {
    this.manifestRecords.put(`${this.id(repository)}@${manifest.digest}`, manifest);
  }

  updateTag(repository: string, tag: Tag): void {
    this.tagRecords.put(`${this.id(repository)}:${tag.name}`, tag);
  }

  hasBlob(repository: string, digest: string): boolean {
    return this.blobLinks.get(`${this.id(repository)}@${digest}`) !== undefined;
  }

  /** Makes a blob part of a repository. Linking again renews its age. */
  linkBlob(repository: string, digest: string): Effect {
    const id = `${this.id(repository)}@${digest}`;
    const change = this.hasBlob(repository, digest) ? 'unchanged' : 'created';
    this.blobLinks.put(id, { linkedAt: this.clock.now().toISOString() });
    return { change, kind: 'registry-blob', id };
  }

  unlinkBlob(repository: string, digest: string): void {
    this.blobLinks.delete(`${this.id(repository)}@${digest}`);
  }

  /** Every blob of every repository with when it was linked. */
  links(): { repository: string; digest: string; linkedAt: string }[] {
    return this.blobLinks.entries(`${this.registry}/`).map(([id, { linkedAt }]) => {
      const at = id.lastIndexOf('@');
      return { repository: id.slice(this.registry.length + 1, at), digest: id.slice(at + 1), linkedAt };
    });
  }

  /** Removes everything: the registry itself goes. */
  clear(): void {
    for (const { name } of this.repositories.list(`${this.registry}/`)) this.delete(name);
    for (const { repository, digest } of this.links()) this.unlinkBlob(repository, digest);
  }

  /** `REGISTRY/REPOSITORY`: what a repository is called in the journal and the inventory. */
  id(repository: string): string {
    return `${this.registry}/${repository}`;
  }
}
