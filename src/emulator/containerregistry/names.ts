import { RegistryError } from './errors.js';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const longestRepository = 255;

/** @throws {RegistryError} NAME_INVALID */
export function repositoryName(raw: string): string {
  if (raw.length <= longestRepository && repositoryPattern.test(raw)) return raw;
  throw new RegistryError(400, 'NAME_INVALID', 'invalid repository name', { detail: { name: raw } });
}

/** @throws {RegistryError} DIGEST_INVALID; sha256 is the one algorithm that ACR knows */
export function digestName(raw: string | undefined): string {
  if (raw !== undefined && isDigest(raw)) return raw;
  throw new RegistryError(400, 'DIGEST_INVALID', 'provided digest is not a sha256 digest', { detail: { digest: raw } });
}

/** @throws {RegistryError} TAG_INVALID */
export function tagName(raw: string): string {
  if (tagPattern.test(raw)) return raw;
  throw new RegistryError(400, 'TAG_INVALID', 'invalid tag name', { detail: { tag: raw } });
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}
