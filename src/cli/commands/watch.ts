import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { print, type Terminal } from '../render/terminal.js';
import { openSession } from '../session.js';
import { outcome } from './deploy.js';

export interface WatchOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface CancelOptions {
  readonly config?: string;
  readonly detach?: boolean;
}

/** `slipway watch SERVICE`: the change that runs, or how the newest one ended. */
export async function watch(service: string, options: WatchOptions, terminal: Terminal): Promise<number> {
  const { client } = await openSession(options);
  try {
    const handle = await client.getDeployment(service);
    const followed = await follow(handle, terminal);
    if (options.json) print(JSON.stringify({ service, workflowId: handle.workflowId, ...outcome(followed) }));
    return followed.exitCode;
  } finally {
    await client.close();
  }
}

/** `slipway cancel SERVICE`: stops the change that runs; what was begun is undone. */
export async function cancel(service: string, options: CancelOptions, terminal: Terminal): Promise<number> {
  const { client } = await openSession(options);
  try {
    const handle = await client.getDeployment(service);
    await handle.cancel();
    terminal.say(`Cancelling the ${handle.change === 'deploy' ? 'deployment' : 'teardown'} of ${service}`);
    if (options.detach) return 0;
    const followed = await follow(handle, terminal);
    // To be cancelled is what was asked for.
    return followed.end === 'failed' && followed.exitCode !== EXIT.residue ? 0 : followed.exitCode;
  } finally {
    await client.close();
  }
}
