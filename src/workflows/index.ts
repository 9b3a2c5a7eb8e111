/** What a worker registers: each export is a workflow type. */
export { deploy } from './deploy.js';
export { teardown } from './teardown.js';
