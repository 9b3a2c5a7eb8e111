/** An image reference taken apart. */
export interface ImageReference {
  /** `HOST[:PORT]` of the registry. */
  registry: string;
  repository: string;
  /** Tag or digest, as a manifest is asked for. */
  reference: string;
}

const pattern = /^([^/]+[.:][^/]*|localhost)\/([a-z0-9._/-]+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;

/**
 * Reads `host:port/repository[:tag][@digest]`; the digest wins over the tag.
 * @throws Error where the text names no registry: there is no default one here
 */
export function parseImageReference(image: string): ImageReference {
  const [, registry, repository, tag, digest] = pattern.exec(image) ?? [];
  if (registry === undefined || repository === undefined) {
    throw new Error(`failed to resolve reference "${image}": it names no registry that can be reached`);
  }
  return { registry, repository, reference: digest ?? tag ?? 'latest' };
}
