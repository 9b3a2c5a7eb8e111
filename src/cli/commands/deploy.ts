import path from 'node:path';
import { readSpec } from '../../client/spec-file.js';
import { readFiles } from '../../client/uploads.js';
import { ChangeFailed } from '../../client.js';
import { follow } from '../follow.js';
import { renderScores } from '../render/scores.js';
import { print, type Terminal } from '../render/terminal.js';
import { showUpload } from '../render/uploads.js';
import { openSession, workflowPage } from '../session.js';

export interface DeployOptions {
  readonly config?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

/** `slipway deploy FILE` */
export async function deploy(file: string, options: DeployOptions, terminal: Terminal): Promise<number> {
  const located = await readSpec(file);
  // What is wrong on this machine is told before anyone is asked for anything.
  await readFiles(located);
  const { spec, directory } = located;
  const { client, ui } = await openSession({ ...options, beside: path.dirname(path.resolve(file)) });
  try {
    const handle = await showUpload(spec.service, terminal, (onUpload) =>
      client.startDeployment(spec, { directory, onUpload }),
    );
    const identity = {
      service: handle.service,
      deploymentId: handle.id,
      workflowId: handle.workflowId,
      runId: handle.runId,
    };
    if (ui) terminal.say(`Temporal: ${workflowPage(ui, handle.workflowId, handle.runId)}`);
    if (options.detach) {
      if (options.json) print(JSON.stringify(identity));
      else print(handle.workflowId);
      terminal.say(`Watch it with: slipway watch ${handle.service}`);
      const noWorker = await client.missingWorker();
      if (noWorker !== undefined) terminal.say(terminal.colors.yellow(`It waits: ${noWorker}`));
      return 0;
    }
    const followed = await follow(handle, terminal);
    if (followed.end === 'done' && !options.json) {
      const scores = followed.result.scores.map(({ image, top5 }) => ({ image, classes: top5 }));
      for (const line of renderScores(scores, terminal.colors)) terminal.say(line);
      print(followed.result.address);
    }
    if (options.json) print(JSON.stringify({ ...identity, ...outcome(followed) }));
    return followed.exitCode;
  } finally {
    await client.close();
  }
}

/** How a change ended, as one JSON object holds it. */
export function outcome(followed: Awaited<ReturnType<typeof follow>>): Record<string, unknown> {
  if (followed.end === 'done') return { ok: true, ...followed.result };
  if (followed.end === 'detached') return { ok: false, detached: true };
  const { error } = followed;
  if (!(error instanceof ChangeFailed)) return { ok: false, failure: { message: String(error) } };
  return { ok: false, failure: error.detail, undone: error.undone, residue: error.residue };
}
