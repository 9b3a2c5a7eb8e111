import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import tar from 'tar-stream';

import type { Digest } from '../deployment/digests.js';
import { canonicalEntries, type LayerEntry } from './entries.js';
import { gzipLevel } from './limits.js';

/** Media type of every layer that is assembled here. */
export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** What a manifest and a config say of a layer. `digest` and `size` (bytes) are of the compressed blob. */
export interface LayerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** Digest of the uncompressed tar: the same on every machine, whatever its zlib compresses to. */
  readonly diffId: Digest;
}

/** A layer whose compressed blob lies in `file`. */
export interface Layer extends LayerDescriptor {
  readonly file: string;
}

/**
 * Writes a gzipped tar with the given members to `outFile` and tells its digests. The same members give the same
 * bytes: sorted, owned by root, dated 1970, missing parent directories added.
 *
 * @throws {ImageAssemblyError} for members that a layer cannot hold
 */
export async function assembleLayer(entries: readonly LayerEntry[], outFile: string): Promise<Layer> {
  const pack = tar.pack();
  const uncompressed = digestTap();
  const compressed = digestTap();
  const written = pipeline(
    pack,
    uncompressed.tap,
    createGzip({ level: gzipLevel }),
    compressed.tap,
    createWriteStream(outFile),
  );
  const packed = packEntries(pack, canonicalEntries(entries));
  packed.catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))));
  const [packing, writing] = await Promise.allSettled([packed, written]);
  // A failure to write also ends the packing, with an error that says less.
  if (writing.status === 'rejected') throw writing.reason;
  if (packing.status === 'rejected') throw packing.reason;
  const { digest, size } = compressed.result();
  return { mediaType: layerMediaType, digest, size, diffId: uncompressed.result().digest, file: outFile };
}

async function packEntries(pack: tar.Pack, entries: readonly LayerEntry[]): Promise<void> {
  for (const entry of entries) await packEntry(pack, entry);
  pack.finalize();
}

async function packEntry(pack: tar.Pack, entry: LayerEntry): Promise<void> {
  const owned = { uid: 0, gid: 0, mtime: new Date(0) };
  switch (entry.type) {
    case 'directory':
      pack.entry({ ...owned, name: `${entry.path}/`, type: 'directory', mode: entry.mode ?? 0o755 });
      return;
    case 'symlink':
      pack.entry({ ...owned, name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'file': {
      const header = { ...owned, name: entry.path, type: 'file', mode: entry.mode ?? 0o644 } as const;
      if ('content' in entry) pack.entry(header, Buffer.from(entry.content));
      else await packFile(pack, header, entry.source);
    }
  }
}

async function packFile(pack: tar.Pack, header: Partial<tar.Header> & { name: string }, source: string): Promise<void> {
  const { size } = await stat(source);
  await pipeline(createReadStream(source), pack.entry({ ...header, size }));
}

function digestTap(): { tap: Transform; result: () => { digest: Digest; size: number } } {
  const hash = createHash('sha256');
  let size = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { tap, result: () => ({ digest: `sha256:${hash.digest('hex')}`, size }) };
}
