/** Assembles OCI images from files, deterministically and without a daemon. Knows nothing of registries or Azure. */
export { directoryEntries, type LayerEntry } from './entries.js';
export { ImageAssemblyError, type ImageAssemblyErrorCode } from './errors.js';
export { hostBase, type HostBaseOptions, imageUser, nodeInImage } from './host-base.js';
export { cachedLayer } from './layer-cache.js';
export { assembleLayer, type Layer, type LayerDescriptor, layerMediaType } from './layer.js';
export {
  assembleImage,
  configMediaType,
  type Image,
  type ImageBlob,
  type ImageConfig,
  manifestMediaType,
} from './manifest.js';
export {
  modelEntries,
  modelInImage,
  nativeModules,
  runtimeEntries,
  runtimeInImage,
  serverEnvironment,
  serverInImage,
  serverNodeOptions,
} from './runtime.js';
