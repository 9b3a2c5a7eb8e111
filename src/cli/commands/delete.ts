import { createInterface } from 'node:readline/promises';
import { SlipwayError } from '../../deployment/errors.js';
import { follow } from '../follow.js';
import { print, type Terminal } from '../render/terminal.js';
import { openSession } from '../session.js';
import { outcome } from './deploy.js';

export interface DeleteOptions {
  readonly config?: string;
  readonly withCluster?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `slipway delete SERVICE`: service, image, registered model, converted model, in that order. */
export async function remove(service: string, options: DeleteOptions, terminal: Terminal): Promise<number> {
  if (!options.yes) await confirm(service, options.withCluster ?? false, terminal);
  const { client } = await openSession(options);
  try {
    const handle = await client.startTeardown(service, { withCluster: options.withCluster ?? false });
    const followed = await follow(handle, terminal);
    if (followed.end === 'done' && followed.result.clusterHeldBy) {
      terminal.say(`The cluster stays: ${followed.result.clusterHeldBy}`);
    }
    if (options.json) print(JSON.stringify({ service, workflowId: handle.workflowId, ...outcome(followed) }));
    return followed.exitCode;
  } finally {
    await client.close();
  }
}

async function confirm(service: string, withCluster: boolean, { stream }: Terminal): Promise<void> {
  const what = `service, image, registered model and converted model of ${service}${withCluster ? ', and its cluster' : ''}`;
  if (!process.stdin.isTTY) {
    throw new SlipwayError('NotConfirmed', `This deletes ${what}, and there is no terminal to ask at`, {
      fix: 'Say --yes.',
    });
  }
  const questions = createInterface({ input: process.stdin, output: stream });
  try {
    const answer = await questions.question(`This deletes ${what}. Type ${service} to go on: `);
    if (answer.trim() !== service) throw new SlipwayError('NotConfirmed', 'Nothing was deleted');
  } finally {
    questions.close();
  }
}
