/** The steps of a deployment, in the order in which a person reads them. `cluster` runs beside `register`, `convert`, `image`. */
export const STEPS = ['workspace', 'register', 'convert', 'image', 'cluster', 'service', 'smoke', 'switch'] as const;
export type Step = (typeof STEPS)[number];

/**
 * What a deployment makes, in the order in which it is undone: what depends goes before what it depends on. One rank serves
 * the saga, the teardown and the removal of old releases.
 */
export const RANK = [
  'service',
  'role-assignment',
  'image',
  'registered-model',
  'converted-model',
  'job',
  'cluster',
] as const;
export type Kind = (typeof RANK)[number];

/**
 * The order of a teardown on request: service, image, registered model, converted model, as the accelerated-models flow of
 * 2019 had it; what the cluster needs goes last, with it.
 */
export const TEARDOWN_ORDER = [
  'service',
  'image',
  'registered-model',
  'converted-model',
  'job',
  'role-assignment',
  'cluster',
] as const satisfies readonly Kind[];
