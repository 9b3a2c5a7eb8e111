import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Blobs and manifests on disk, each in a file named by its digest, whatever repositories they belong to. */
export class Content {
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  static digestOf(bytes: Uint8Array): string {
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  }

  /** Size in bytes, or undefined where there is none. */
  size(digest: string): number | undefined {
    return statSync(this.file(digest), { throwIfNoEntry: false })?.size;
  }

  /** Takes a finished file as the content of `digest`, which the caller has computed from it. */
  adopt(file: string, digest: string): void {
    renameSync(file, this.file(digest));
  }

  put(bytes: Uint8Array): string {
    const digest = Content.digestOf(bytes);
    const file = this.file(digest);
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    return digest;
  }

  read(digest: string): Buffer {
    return readFileSync(this.file(digest));
  }

  /** Bytes `start` to `end`, both included; all of them by default. */
  stream(digest: string, range: { start?: number; end?: number } = {}): Readable {
    return createReadStream(this.file(digest), range);
  }

  remove(digest: string): void {
    rmSync(this.file(digest), { force: true });
  }

  digests(): string[] {
    return readdirSync(this.directory)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((name) => `sha256:${name}`);
  }

  private file(digest: string): string {
    return join(this.directory, digest.slice('sha256:'.length));
  }
}
