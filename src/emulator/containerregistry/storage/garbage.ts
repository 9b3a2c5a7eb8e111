import type { Clock } from '../../core/clock.js';
import { unreferencedBlobMs } from '../limits.js';
import type { Content } from './content.js';
import type { Repositories } from './repositories.js';

/**
 * Removes blobs that no manifest of their repository names any more, and then the files that no registry links to.
 * Recent ones stay: somebody may be pushing the manifest that names them.
 *
 * @param everyRegistry repositories of all registries that share `content`
 */
export function collectGarbage(everyRegistry: readonly Repositories[], content: Content, clock: Clock): void {
  const latest = new Date(clock.now().getTime() - unreferencedBlobMs).toISOString();
  const needed = new Set<string>();
  for (const repositories of everyRegistry) {
    for (const { repository, digest, linkedAt } of repositories.links()) {
      const manifests = repositories.manifests(repository);
      if (linkedAt >= latest || manifests.some(({ blobs }) => blobs.includes(digest))) needed.add(digest);
      else repositories.unlinkBlob(repository, digest);
    }
    for (const { name } of repositories.list()) {
      for (const { digest } of repositories.manifests(name)) needed.add(digest);
    }
  }
  for (const digest of content.digests()) if (!needed.has(digest)) content.remove(digest);
}
