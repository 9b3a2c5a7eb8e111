import { CancellationScope } from '@temporalio/workflow';
import type { DeployInput } from '../deployment/input.js';
import type { DeployResult } from '../deployment/result.js';
import { STEPS } from '../deployment/steps.js';
import { activitiesWith } from './activities.js';
import { convert } from './convert.js';
import { provision } from './provision.js';
import { ProgressTable } from './progress.js';
import { retire } from './retire.js';
import { Saga } from './saga.js';
import { together } from './together.js';

/**
 * From a SavedModel to a live, verified scoring service. Each step names the kinds that it makes (`saga.doing`); when one
 * fails or the deployment is cancelled, what was begun is removed by the rank in `deployment/steps.ts`:
 * service, role assignment, image, registered model, converted model, job, cluster.
 */
export async function deploy(input: DeployInput): Promise<DeployResult> {
  const { identity, model, photos, scoring, cluster } = input;
  const activities = activitiesWith(input.patienceMinutes);
  const progress = new ProgressTable({ ...input, state: 'running', steps: STEPS });
  const target = { identity, scope: 'deployment', cluster, modelName: model.name } as const;
  const saga = new Saga({ activities, progress, target, onFailure: input.onFailure });
  const { step } = progress;

  const live = await saga.run(async () => {
    const workspace = await step(
      'workspace',
      () => activities.getWorkspace({ identity }),
      ({ name, resourceGroup, region, subscriptionId }) => `${name}, ${resourceGroup}, ${region}, ${subscriptionId}`,
    );

    const [{ source, converted, image }, clusterId] = await together(
      async () => {
        const source = await step(
          'register',
          () => saga.doing('registered-model', () => activities.registerModel({ identity, workspace, model, cluster })),
          ({ name, version }) => `${name} version ${version}`,
        );
        const converted = await step(
          'convert',
          () =>
            convert(
              activities,
              saga,
              { identity, workspace, source, model, settings: input.conversion, photos },
              cluster,
            ),
          ({ model: { name, version }, reused }) => `${name} version ${version}${reused ? ', conversion reused' : ''}`,
        );
        const image = await step(
          'image',
          () =>
            saga.doing('image', () =>
              activities.pushImage({ identity, workspace, scoring, source, converted: converted.model }),
            ),
          ({ repository, tag }) => `${repository}:${tag}`,
        );
        return { source, converted: converted.model, image };
      },
      () =>
        step(
          'cluster',
          () => provision(activities, saga, { identity, workspace, cluster }),
          ({ detail }) => detail,
        ),
    );

    const release = { identity, workspace, cluster, scoring, image, source, converted };
    await step(
      'service',
      async () => {
        const begun = await saga.doing('service', () => activities.beginRelease(release));
        await activities.awaitRelease(release);
        return begun;
      },
      ({ name }) => `${name} is ready`,
    );

    const smoke = { ...release, model, photos };
    await step(
      'smoke',
      () => activities.smokeScore(smoke),
      (scores) => `${scores.length} photos agree with the SavedModel`,
    );

    const { address, scores } = await step(
      'switch',
      async () => {
        await saga.doing('service', () => activities.beginSwitch(release));
        const { address } = await activities.awaitSwitch(release);
        return { address, scores: await activities.scorePublic({ ...smoke, address }) };
      },
      ({ address }) => address,
    );
    return { release, address, scores, clusterId: clusterId.clusterId };
  });

  // Past this point the release is live and verified: it stays, whatever happens to what it replaces.
  await CancellationScope.nonCancellable(() =>
    retire(activities, progress, { ...live.release, keepReleases: input.keepReleases }),
  );
  progress.enter('deployed');
  return {
    service: identity.service,
    deploymentId: identity.deploymentId,
    address: live.address,
    release: live.release.image.releaseDigest,
    image: live.release.image,
    source: live.release.source,
    converted: live.release.converted,
    cluster: live.clusterId,
    scores: live.scores,
    timings: progress.timings(),
  };
}
