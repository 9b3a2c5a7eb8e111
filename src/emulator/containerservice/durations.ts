/** How long Azure was seen to take, in seconds; divided by the time scale before anybody waits. */

/** Creating a cluster with one pool of one node, recorded. */
export const createSeconds = 250;

/** Changing a running cluster. */
export const updateSeconds = 90;

/** Deleting a cluster, recorded. */
export const deleteSeconds = 231;

/** Aborting what is in progress. */
export const abortSeconds = 20;
