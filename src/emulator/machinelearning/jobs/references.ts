import { resourceKey } from '../../arm/resource-id.js';
import type { Emulator } from '../../core/emulator.js';
import type { AssetVersion } from '../asset-store.js';
import { computes } from '../computes.js';
import { userError } from '../errors.js';
import type { Workspace } from '../workspaces.js';
import type { CommandJob } from './job.js';
import { timeoutMs } from './timeout.js';

/** The asset version that a job names, by id or as `azureml:NAME:VERSION`. Throws ArmError when there is none. */
export function assetOf(
  emulator: Emulator,
  workspace: Workspace,
  type: 'environments' | 'codes',
  reference: string,
): AssetVersion {
  const [, name, version] =
    /^azureml:([^:/]+):([^:/]+)$/.exec(reference) ??
    new RegExp(`/${type}/([^/]+)/versions/([^/]+)$`, 'i').exec(reference) ??
    [];
  const id = resourceKey(`${workspace.id}/${type}/${name ?? ''}/versions/${version ?? ''}`);
  const found = emulator.documents.collection<AssetVersion>(`ml-${type}-versions`).get(id);
  if (found === undefined) throw userError(`The job refers to '${reference}', which does not exist.`);
  return found;
}

/** Checks what a job refers to before it is accepted. Throws ArmError naming what is missing. */
export function checkReferences(emulator: Emulator, workspace: Workspace, job: CommandJob): void {
  assetOf(emulator, workspace, 'environments', job.environmentId);
  if (job.codeId) assetOf(emulator, workspace, 'codes', job.codeId);
  if (job.limits?.timeout !== undefined) timeoutMs(job.limits.timeout);
  if (!job.computeId) return;
  const name = job.computeId.slice(job.computeId.lastIndexOf('/') + 1);
  if (computes(emulator).get(resourceKey(`${workspace.id}/computes/${name}`)) === undefined) {
    throw userError(`Compute '${name}' was not found in workspace ${workspace.id}.`);
  }
}
