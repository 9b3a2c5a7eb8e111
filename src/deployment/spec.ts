import { z } from 'zod';

/** A Kubernetes quantity of CPU (`1`, `500m`) or memory (`512Mi`). */
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|Ki|Mi|Gi)?$/, 'a Kubernetes quantity such as 500m, 1 or 512Mi');

/** Azure ML's rule for names of models, jobs and environments. */
const assetName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,200}$/,
    'letters, digits, - and _, starting with a letter or digit, at most 201 characters',
  );

/** Rule of Kubernetes for Services (RFC 1035 label); 40 characters leave room for a release's suffix. */
const serviceName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'lower-case letters, digits and -, starting with a letter, at most 40 characters',
  );

/** Rule of Azure for names of managed clusters. */
const clusterName = z
  .string()
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$/, 'letters, digits, - and _, at most 63 characters');

/** Azure's programmatic names of regions, which hold no spaces. */
const regionName = z.string().regex(/^[a-z][a-z0-9]*$/, 'lower-case letters and digits, such as eastus or westeurope');

const registeredModel = z
  .string()
  .regex(/^azureml:[a-zA-Z0-9][a-zA-Z0-9_-]*(:[0-9]+|@latest)$/, 'azureml:NAME:VERSION or azureml:NAME@latest');

const model = z.strictObject({
  /** SavedModel directory, relative to the file. Exactly one of `path` and `source`. */
  path: z.string().min(1).optional(),
  /** A model that is registered in the workspace already. */
  source: registeredModel.optional(),
  /** Name under which it is registered; default: the service's name. */
  name: assetName.optional(),
  description: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.record(z.string(), z.string()).default({}),
  signature: z.string().default('serving_default'),
  /** Signature key (or tensor name) of the input that takes JPEGs. */
  input: z.string().default('images'),
  /** Signature keys (or tensor names) of the outputs to keep. */
  outputs: z.array(z.string()).min(1).default(['output_alias']),
});

const conversion = z.strictObject({
  /** Name of a compute of the workspace, or `serverless`. */
  compute: z.string().default('serverless'),
  /** Size of the serverless machine. */
  instanceType: z.string().default('Standard_D4s_v3'),
});

const cluster = z.strictObject({
  name: clusterName.optional(),
  /** True: adopt the cluster of that name; it is never created, changed or deleted. */
  existing: z.boolean().default(false),
  /** Azure's name of the region, as `eastus`; default: the workspace's. */
  region: regionName.optional(),
  vmSize: z.string().default('Standard_D4s_v3'),
  nodeCount: z.number().int().min(1).max(1000).default(1),
  /** Absent: AKS' own default. */
  kubernetesVersion: z.string().optional(),
});

const scoring = z.strictObject({
  replicas: z.number().int().min(1).default(1),
  cpu: quantity.default('1'),
  memory: quantity.default('1Gi'),
  /** `key`: callers send `authorization: Bearer KEY`. */
  auth: z.enum(['none', 'key']).default('key'),
  /**
   * Seconds after which the server ends a client's connection, which then goes to the release that is live. A replaced
   * release serves on for as long, so that no call meets a server that is going.
   */
  connectionAgeSeconds: z.number().int().min(1).max(900).default(300),
});

const smokePhoto = z.strictObject({
  path: z.string().min(1),
  /** Index of the class that must be in the top-5. */
  expect: z.number().int().min(0).optional(),
});

/** A deployment file as the user writes it. Paths are relative to the file. */
export const DeploymentSpec = z
  .strictObject({
    $schema: z.string().optional(),
    service: serviceName,
    model,
    conversion: conversion.prefault({}),
    cluster: cluster.prefault({}),
    scoring: scoring.prefault({}),
    smoke: z.strictObject({ photos: z.array(smokePhoto).min(1) }),
    /** What a failure does with what was begun: `undo` it, or `keep` it for a look. */
    onFailure: z.enum(['undo', 'keep']).default('undo'),
    /** Minutes to wait for quota, capacity and permissions before giving up. */
    patienceMinutes: z.number().int().min(0).default(15),
    /** Releases whose image and models stay for a rollback, the live one included. */
    keepReleases: z.number().int().min(1).default(2),
  })
  .refine((spec) => (spec.model.path === undefined) !== (spec.model.source === undefined), {
    path: ['model'],
    message: 'exactly one of path (a SavedModel directory) and source (a registered model) is needed',
  })
  .refine((spec) => !spec.cluster.existing || spec.cluster.name !== undefined, {
    path: ['cluster', 'name'],
    message: 'an existing cluster is adopted by its name',
  });

/** A deployment file after parsing, with defaults filled in. */
export type DeploymentSpec = z.infer<typeof DeploymentSpec>;
/** A deployment file as it may be written, defaults left out. */
export type DeploymentSpecInput = z.input<typeof DeploymentSpec>;
