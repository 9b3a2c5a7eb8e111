import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../core/clock.js';
import type { Collection, Documents } from '../../core/documents.js';
import { RegistryError } from '../errors.js';
import { abandonedUploadMs } from '../limits.js';
import type { Content } from './content.js';

interface UploadRecord {
  registry: string;
  repository: string;
  startedAt: string;
}

/** An upload in progress. `offset` is how many bytes have arrived. */
export interface Upload {
  readonly id: string;
  readonly offset: number;
}

/** Resumable uploads: what has arrived is in a file, so a client goes on where it was after either side has restarted. */
export class Uploads {
  private readonly records: Collection<UploadRecord>;
  private readonly receiving = new Set<string>();
  private readonly registry: string;

  constructor(
    private readonly directory: string,
    private readonly content: Content,
    private readonly clock: Clock,
    { documents, registry }: { documents: Documents; registry: string },
  ) {
    this.registry = registry;
    mkdirSync(directory, { recursive: true });
    this.records = documents.collection<UploadRecord>('registry-uploads');
  }

  begin(repository: string): Upload {
    const id = randomUUID();
    writeFileSync(this.file(id), '');
    this.records.put(id, { registry: this.registry, repository, startedAt: this.clock.now().toISOString() });
    return { id, offset: 0 };
  }

  /** @throws {RegistryError} BLOB_UPLOAD_UNKNOWN */
  find(repository: string, id: string): Upload {
    const record = this.records.get(id);
    if (record?.registry === this.registry && record.repository === repository) {
      const offset = statSync(this.file(id), { throwIfNoEntry: false })?.size;
      if (offset !== undefined) return { id, offset };
    }
    throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { detail: { uuid: id } });
  }

  /**
   * Adds bytes at the end, as they arrive.
   *
   * @throws {RegistryError} BLOB_UPLOAD_INVALID while another request adds to the same upload
   */
  async append({ id }: Upload, body: Readable): Promise<Upload> {
    if (this.receiving.has(id)) {
      throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', 'another request is adding to this upload');
    }
    this.receiving.add(id);
    try {
      await pipeline(body, createWriteStream(this.file(id), { flags: 'a' }));
    } finally {
      this.receiving.delete(id);
    }
    return { id, offset: statSync(this.file(id)).size };
  }

  /**
   * Moves the bytes to the content under `digest` and ends the upload, either way. `link` makes the content part of a
   * repository in the same breath, so that no garbage collection comes between.
   *
   * @throws {RegistryError} DIGEST_INVALID where the bytes have another one
   */
  async finish<T>({ id }: Upload, digest: string, link: () => T): Promise<T> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(this.file(id)), hash);
    const received = `sha256:${hash.digest('hex')}`;
    if (received !== digest) {
      this.drop(id);
      throw new RegistryError(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', {
        detail: { digest, received },
      });
    }
    this.content.adopt(this.file(id), digest);
    const linked = link();
    this.drop(id);
    return linked;
  }

  cancel({ id }: Upload): void {
    this.drop(id);
  }

  /** Drops what was begun long ago. */
  dropAbandoned(): void {
    this.dropBefore(new Date(this.clock.now().getTime() - abandonedUploadMs).toISOString());
  }

  /** Drops everything: the registry itself goes. */
  clear(): void {
    this.dropBefore();
  }

  private dropBefore(latest?: string): void {
    for (const [id, { registry, startedAt }] of this.records.entries()) {
      if (registry === this.registry && (latest === undefined || startedAt < latest)) this.drop(id);
    }
  }

  private drop(id: string): void {
    rmSync(this.file(id), { force: true });
    this.records.delete(id);
  }

  private file(id: string): string {
    return join(this.directory, id);
  }
}
