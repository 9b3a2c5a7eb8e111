import type { DeployInput } from '../deployment/input.js';
import type { DeployResult } from '../deployment/result.js';
import { STEPS } from '../deployment/steps.js';
import { activitiesWith } from './activities.js';
import { convert } from './convert.js';
import { examine } from './examine.js';
import { ProgressTable } from './progress.js';
import { provision } from './provision.js';
import { placeRelease, switchToRelease } from './release.js';
import { retire } from './retire.js';
import { Saga } from './saga.js';
import { together } from './together.js';
import { findLive } from './unchanged.js';

/**
 * From a SavedModel to a live, verified scoring service. `saga.doing` names the kind that a step makes before it makes it;
 * when a step fails or the deployment is cancelled, what was begun is removed by rank: service, role assignment, image,
 * registered model, converted model, job, cluster.
 */
export async function deploy(input: DeployInput): Promise<DeployResult> {
  const { identity, model, conversion: settings, cluster, scoring, photos, onFailure, keepReleases } = input;
  const activities = activitiesWith(input.patienceMinutes);
  const progress = new ProgressTable({ ...input, state: 'running', steps: STEPS });
  const target = { identity, scope: 'deployment', cluster, modelName: model.name } as const;
  const saga = new Saga({ activities, progress, target, onFailure });
  const { step } = progress;

  const { release, clusterId, outcome, address, scores } = await saga.run(async () => {
    const { workspace } = await step('workspace', () => examine(activities, { ...input, settings }));

    const [made, { clusterId }] = await together(
      async () => {
        const source = await step('register', () =>
          saga.doing('registered-model', () => activities.registerModel({ identity, workspace, model, cluster })),
        );
        const { converted } = await step('convert', () =>
          convert(activities, saga, { identity, workspace, cluster, source, model, settings, photos }),
        );
        const image = await step('image', () =>
          saga.doing('image', () => activities.pushImage({ identity, workspace, scoring, source, converted })),
        );
        return { source, converted, image };
      },
      () => step('cluster', () => provision(activities, saga, { identity, workspace, cluster })),
    );

    const release = { identity, workspace, cluster, scoring, model, photos, keepReleases, ...made };
    const unchanged = await findLive(activities, progress, release);
    if (unchanged) return { release, clusterId, outcome: 'unchanged', ...unchanged } as const;

    await step('service', () => placeRelease(activities, saga, release));
    await step('smoke', () => activities.smokeScore(release));
    const live = await step('switch', async () => {
      const live = await switchToRelease(activities, saga, release);
      // Live and verified: from here on it stays, whatever happens to what it replaces.
      saga.commit();
      await retire(activities, progress, release);
      return live;
    });
    return { release, clusterId, outcome: 'deployed', ...live } as const;
  });
  progress.enter(outcome);

  const { image, source, converted } = release;
  const { service, deploymentId } = identity;
  const { residue } = progress.table;
  const made = { release: image.releaseDigest, image, source, converted, cluster: clusterId };
  return { service, deploymentId, outcome, address, ...made, scores, timings: progress.timings(), residue };
}
