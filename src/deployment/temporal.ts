/** The task queue that clients send to and workers poll. */
export const TASK_QUEUE = 'slipway';

/** Workflow types, by the names under which clients start them. */
export const WORKFLOWS = { deploy: 'deploy', teardown: 'teardown' } as const;
export type WorkflowName = keyof typeof WORKFLOWS;

/** The workflow type that a schedule runs. It changes no service itself: its child `deploy` does. */
export const REDEPLOY = 'redeploy';

/**
 * Search attributes of every workflow that changes a service, with their types. An unregistered one blocks a workflow for
 * ever, so a workflow sets them only when its input says that the namespace has them.
 */
export const SEARCH_ATTRIBUTES = {
  /** Name of the service. */
  SlipwayService: 'KEYWORD',
  /** The step that runs now, or that failed. */
  SlipwayStep: 'KEYWORD',
  /** `DeploymentState`; of a redeploy, its outcome. */
  SlipwayState: 'KEYWORD',
  /** True when something of ours could not be removed: what a sweeper looks for. */
  SlipwayResidue: 'BOOL',
} as const;
