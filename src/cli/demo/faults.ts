import type { DeploymentSpec } from '../../deployment/spec.js';
import type { Step } from '../../deployment/steps.js';
import type { FaultRule } from '../local/emulator-admin.js';

const policy = (what: string) => ({
  status: 403,
  code: 'RequestDisallowedByPolicy',
  message: `${what} was disallowed by policy 'demo' (this is what --fail-at asked for).`,
});

/**
 * How `--fail-at STEP` makes a step fail for good: with an answer that Azure could give, and that asking again cannot mend.
 * The smoke step needs no fault of Azure's; see {@link withWrongExpectation}.
 */
export const FAULTS = {
  workspace: {
    // The client reads the workspace too, once, before it starts the workflow.
    match: { service: 'arm', method: 'GET', path: '/workspaces/[^/]+$', nth: 2 },
    when: 'before',
    then: { status: 404, code: 'ResourceNotFound', message: 'The workspace was not found (as --fail-at asked for).' },
  },
  register: {
    match: { service: 'arm', method: 'PUT', path: '/models/[^/]+/versions/[^/]+$' },
    when: 'before',
    then: policy('Registering the model'),
  },
  convert: {
    // Not the job: a conversion whose result is in the cache has none.
    match: { service: 'arm', method: 'PUT', path: '/models/[^/]+-onnx/versions/[^/]+$' },
    when: 'before',
    then: policy('Registering the converted model'),
  },
  image: {
    match: { service: 'registry', method: 'PUT', path: '/manifests/' },
    when: 'before',
    then: { status: 400, code: 'MANIFEST_INVALID', message: 'The manifest is refused (as --fail-at asked for).' },
  },
  cluster: {
    match: { service: 'arm', method: 'PUT', path: '/managedClusters/[^/]+$' },
    when: 'operation',
    then: policy('The node pool'),
  },
  service: {
    match: { service: 'kubernetes', method: 'POST', path: '/deployments$' },
    when: 'before',
    then: { status: 422, code: 'Invalid', message: 'The Deployment is refused (as --fail-at asked for).' },
  },
  switch: {
    // The first Service is the release's own; the second is the public one.
    match: { service: 'kubernetes', method: 'POST', path: '/services$', nth: 2 },
    when: 'before',
    then: { status: 422, code: 'Invalid', message: 'The public Service is refused (as --fail-at asked for).' },
  },
} satisfies Record<Exclude<Step, 'smoke'>, Omit<FaultRule, 'name'>>;

/** A class that no photo of the samples shows: 0 is the tench, a fish. */
const WRONG_CLASS = 0;

/** The specification with a first photo that is expected to show what it does not: a release that answers that is not let in. */
export function withWrongExpectation(spec: DeploymentSpec): DeploymentSpec {
  const photos = spec.smoke.photos.map((photo, index) => (index === 0 ? { ...photo, expect: WRONG_CLASS } : photo));
  return { ...spec, smoke: { ...spec.smoke, photos } };
}
