import type { Effect } from '../../core/journal.js';
import type { Manifest, Repositories } from './repositories.js';

/** A repository of some registry. */
export interface Place {
  readonly repositories: Repositories;
  readonly repository: string;
}

/**
 * Makes a manifest with all that it refers to part of another repository, and points `tag` at it. All registries have one store
 * of content, so that no bytes move.
 */
export function copyManifest(from: Place, to: Place, manifest: Manifest, tag?: string): Effect {
  for (const digest of manifest.blobs) to.repositories.linkBlob(to.repository, digest);
  for (const { digest } of manifest.manifests) {
    const child = from.repositories.manifest(from.repository, digest);
    if (child !== undefined) copyManifest(from, to, child);
  }
  const { createdTime: _, lastUpdateTime: __, changeableAttributes: ___, ...copied } = manifest;
  return to.repositories.putManifest(to.repository, copied, tag);
}
