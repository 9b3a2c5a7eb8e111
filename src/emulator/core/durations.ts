/**
 * How long Azure was seen to take, in seconds; divided by the time scale before anybody waits. Those of Container Service are with it.
 */

/** "Up to 10 minutes" by the manual; two is what a pull usually waits for. */
export const roleAssignmentPropagationSeconds = 120;

/** A job on a warm or serverless compute that has room. */
export const jobQueueSeconds = 30;

/** From the PUT until the service looks at a job. */
export const jobStartSeconds = 5;

/** After the command has ended, before the job is terminal. */
export const jobFinalizeSeconds = 10;

/** A cancelled or deleted job, until its operation says so. */
export const jobCancelSeconds = 10;

/** A resource group with a cluster in it, which is what takes longest; Azure is done sooner with less. */
export const resourceGroupDeleteSeconds = 240;

/** Making, changing or deleting a cluster of machines for jobs, which has no nodes yet. */
export const computeSeconds = 30;
