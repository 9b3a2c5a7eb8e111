/** Error codes of the OCI distribution specification, and those that ACR adds. */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'NOT_FOUND'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TAG_UNKNOWN'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED';

/** An error with the distribution API's envelope: `{"errors":[{"code","message","detail"}]}`. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';

  constructor(
    readonly statusCode: number,
    readonly code: RegistryErrorCode,
    message: string,
    readonly details: { headers?: Readonly<Record<string, string>>; detail?: unknown } = {},
  ) {
    super(message);
  }
}

/** The envelope of an error. */
export function errorEnvelope(code: string, message: string, detail?: unknown): Record<string, unknown> {
  return { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] };
}

export function unknownManifest(repository: string, reference: string): RegistryError {
  return new RegistryError(404, 'MANIFEST_UNKNOWN', `manifest ${reference} is not found`, {
    detail: { name: repository, reference },
  });
}

export function unknownBlob(digest: string): RegistryError {
  return new RegistryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
}

export function unknownRepository(repository: string): RegistryError {
  return new RegistryError(404, 'NAME_UNKNOWN', 'repository name not known to registry', {
    detail: { name: repository },
  });
}

export function unknownTag(repository: string, tag: string): RegistryError {
  return new RegistryError(404, 'TAG_UNKNOWN', `the specified tag does not exist`, {
    detail: { name: repository, tag },
  });
}
