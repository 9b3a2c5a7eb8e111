/** What a worker registers: each export is a workflow type. */
export { deploy } from './deploy.js';
export { redeploy } from './redeploy.js';
export { teardown } from './teardown.js';
