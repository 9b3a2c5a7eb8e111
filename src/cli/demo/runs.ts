import type { LocatedSpec } from '../../client/spec-file.js';
import { ChangeFailed, type ChangeHandle, type Residue, type SlipwayClient, type Snapshot } from '../../client.js';
import type { Stack } from '../local/stack.js';
import { renderError } from '../render/errors.js';
import type { Terminal } from '../render/terminal.js';
import { showUpload } from '../render/uploads.js';
import { showChange } from '../render/watch.js';
import { workflowPage } from '../session.js';
import { reportedSteps, type DemoReport } from './report.js';

/** What a run works with. */
interface Setting {
  readonly client: SlipwayClient;
  readonly stack: Stack;
  readonly terminal: Terminal;
  readonly sample: LocatedSpec;
}

/** How the deployment ended. */
export interface Deployed {
  /** The deployment's id. */
  readonly id: string;
  readonly steps: DemoReport['steps'];
  /** `host:port`, when it succeeded. */
  readonly address?: string;
  /** Set when it did not. */
  readonly failure?: ChangeFailed;
  /** Kinds that were undone, in order. */
  readonly undone: readonly string[];
}

/** Deploys the sample and shows it. */
export async function runDeployment({ client, stack, terminal, sample }: Setting): Promise<Deployed> {
  terminal.say('');
  const { spec, directory } = sample;
  const handle = await showUpload(spec.service, terminal, (onUpload) =>
    client.startDeployment(spec, { directory, onUpload }),
  );
  sayWhereToLook(handle, stack, terminal);
  const last = await showChange(handle, terminal);
  const common = { id: handle.id, steps: reportedSteps(last?.progress), undone: removedKinds(last) };
  try {
    const { address } = await handle.result();
    return { ...common, address };
  } catch (error) {
    if (!(error instanceof ChangeFailed)) throw error;
    for (const line of renderError(error, terminal.colors, last)) terminal.say(line);
    return { ...common, failure: error };
  }
}

/** Deletes the service with its cluster and shows it. */
export async function runTeardown(
  { client, stack, terminal }: Setting,
  service: string,
): Promise<{ teardown: readonly string[]; residue: readonly Residue[] }> {
  terminal.say('');
  const handle = await client.startTeardown(service, { withCluster: true });
  sayWhereToLook(handle, stack, terminal);
  const last = await showChange(handle, terminal);
  try {
    const { removed, residue } = await handle.result();
    return { teardown: removed.map(({ kind }) => kind), residue };
  } catch (error) {
    if (!(error instanceof ChangeFailed)) throw error;
    for (const line of renderError(error, terminal.colors, last)) terminal.say(line);
    return { teardown: removedKinds(last), residue: error.residue };
  }
}

/** Ends a change that an interrupted demo left running: a deployment is cancelled, a teardown may end by itself. */
export async function endEarlierChange({ client, stack, terminal }: Setting, service: string): Promise<void> {
  const running = (await client.listChanges()).some(
    (change) => change.service === service && change.state === 'running',
  );
  if (!running) return;
  const handle = await client.getDeployment(service);
  terminal.say(`\nAn earlier demo left a ${handle.change} of ${service} running: it is ended first`);
  sayWhereToLook(handle, stack, terminal);
  if (handle.change === 'deploy') await handle.cancel();
  await showChange(handle, terminal);
}

function sayWhereToLook({ workflowId, runId }: ChangeHandle, { temporal }: Stack, { say }: Terminal): void {
  if (temporal.ui) say(`In Temporal: ${workflowPage(temporal.ui, workflowId, runId, temporal.namespace)}`);
}

function removedKinds(last: Snapshot | undefined): string[] {
  return (last?.progress?.undo ?? []).filter(({ state }) => state === 'removed').map(({ kind }) => kind);
}
