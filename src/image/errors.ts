import { SlipwayError } from '../deployment/errors.js';

/** Why an image could not be assembled: what a caller may branch on. */
export type ImageAssemblyErrorCode =
  | 'UnsupportedPlatform'
  | 'LddMissing'
  | 'LibraryNotFound'
  | 'InvalidEntry'
  | 'DuplicateEntry'
  | 'UnsupportedFileType'
  | 'RuntimeMissing';

/** An image cannot be assembled from these files on this machine; trying again changes nothing. */
export class ImageAssemblyError extends SlipwayError {
  declare readonly code: ImageAssemblyErrorCode;

  constructor(code: ImageAssemblyErrorCode, message: string, options?: { fix?: string; cause?: unknown }) {
    super(code, message, options);
    this.name = 'ImageAssemblyError';
  }
}
