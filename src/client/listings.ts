/** What a workspace holds and what was done to it: reads that change nothing. */
export { readConversionLog, type ConversionLog } from './conversion-log.js';
export { listHistory, type PastChange } from './history.js';
export { listImages, type ImageFilter, type ImageState, type ListedImage } from './images.js';
export { readImageLog, readServiceLog, type ImageLog, type ServiceLog } from './logs.js';
export {
  getModel,
  listModels,
  type ListedModel,
  type ListedModels,
  type ListedModelVersion,
  type ModelUse,
} from './models.js';
export { listServices, type ListedService, type ServiceState } from './services.js';
export type { WorkspaceAccess } from './workspace-access.js';
export type { PodLog, PodLogOptions } from '../azure/kubernetes/pod-logs.js';
