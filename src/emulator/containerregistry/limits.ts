/** ACR refuses larger manifests, in bytes; so does its client on the way down. */
export const longestManifestBytes = 4 * 1024 * 1024;

/** Longest form or JSON body of the sign-in and metadata calls, in bytes: tokens take a few thousand. */
export const longestFormBytes = 64 * 1024;

/** ACR's refresh tokens live for three hours. */
export const refreshTokenSeconds = 3 * 3600;

/** ACR's access tokens live for 75 minutes. */
export const accessTokenSeconds = 75 * 60;

/** A push uploads its blobs first and its manifest last: a blob that no manifest names is kept this long for it. */
export const unreferencedBlobMs = 3600_000;

/** An upload that nobody has finished after this long is dropped. */
export const abandonedUploadMs = 24 * 3600_000;

/** Names in one page of a list, where the client does not say. */
export const defaultPageSize = 100;
export const longestPage = 1000;

/** Deleting a registry was seen to take this long, in seconds of Azure's time. */
export const deleteSeconds = 15;

/** Importing a small image takes about this long, in seconds of Azure's time. */
export const importSeconds = 20;
