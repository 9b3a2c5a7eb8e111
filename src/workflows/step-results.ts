import type { Image, ModelVersion, Preflight, Release, Score, Workspace } from '../deployment/activities.js';
import type { Step } from '../deployment/steps.js';

/** What each step gives to those after it. */
export interface StepResults {
  readonly workspace: { readonly workspace: Workspace } & Preflight;
  readonly register: ModelVersion;
  /** `reused`: an equal conversion had left its result. */
  readonly convert: { readonly converted: ModelVersion; readonly reused: boolean };
  readonly image: Image;
  readonly cluster: { readonly clusterId: string; readonly detail: string };
  readonly service: Release;
  readonly smoke: readonly Score[];
  readonly switch: { readonly address: string; readonly scores: readonly Score[] };
}

/** What came of each step, in a few words, for the step table. */
export const DETAILS: { readonly [S in Step]: (result: StepResults[S]) => string } = {
  workspace: ({ workspace: { name, resourceGroup, region, subscriptionId }, unchecked }) =>
    `${name}, ${resourceGroup}, ${region}, ${subscriptionId}${unchecked.length > 0 ? `, not checked: ${unchecked.join(', ')}` : ''}`,
  register: ({ name, version }) => `${name} version ${version}`,
  convert: ({ converted: { name, version }, reused }) =>
    `${name} version ${version}${reused ? ', conversion reused' : ''}`,
  image: ({ repository, tag }) => `${repository}:${tag}`,
  cluster: ({ detail }) => detail,
  service: ({ name }) => `${name} is ready`,
  smoke: (scores) => `${scores.length} photos agree with the SavedModel`,
  switch: ({ address }) => address,
};
