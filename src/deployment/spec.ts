import { z } from 'zod';
import {
  clusterName,
  computeName,
  kubernetesVersion,
  modelName,
  properties,
  regionName,
  registeredModel,
  secretName,
  serviceName,
  tags,
} from './name-rules.js';

/** Kubernetes' quantities, of which a suffix of memory would be a typing error in CPU, and the other way round. */
const cpu = z.string().regex(/^[0-9]+(\.[0-9]+)?m?$/, 'a Kubernetes quantity of CPU, such as 500m or 1');
const memory = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(k|M|G|Ki|Mi|Gi)$/, 'a Kubernetes quantity of memory, such as 512Mi or 1Gi');

/** Lets a rule over several members run although one of them breaks its own: all problems are told at once. */
const isGroup = ({ value }: { value: unknown }): boolean => typeof value === 'object' && value !== null;

const model = z
  .strictObject({
    /** SavedModel directory, relative to the file. Exactly one of `path` and `source`. */
    path: z.string().min(1).optional(),
    /** A model that is registered in the workspace already. */
    source: registeredModel.optional(),
    /** Name under which it is registered; default: the service's name. */
    name: modelName.optional(),
    description: z.string().optional(),
    tags: tags.default({}),
    properties: properties.default({}),
    signature: z.string().default('serving_default'),
    /** Signature key (or tensor name) of the input that takes JPEGs. */
    input: z.string().default('images'),
    /** Signature keys (or tensor names) of the outputs to keep. */
    outputs: z.array(z.string()).min(1).default(['output_alias']),
  })
  .refine((members) => (members.path === undefined) !== (members.source === undefined), {
    message: 'needs exactly one of path (a SavedModel directory) and source (a registered model)',
    when: isGroup,
  });

/** Bytes as the conversion job reads them: no fractions of a byte. */
const bytes = z.string().regex(/^[0-9]+(\.[0-9]+)?(k|M|G|Ki|Mi|Gi)?$/, 'a Kubernetes quantity such as 6G or 512Mi');

/** How far answers may be from those that they are held against. */
const parityWithin = (limits: { relative: number; top5: number }) =>
  z.strictObject({
    /** Largest difference, as a share of the largest value. */
    relative: z.number().min(0).default(limits.relative),
    /** How many of the five best classes must be the same; 5: in the same order too. */
    top5: z.number().int().min(0).max(5).default(limits.top5),
  });

const quantize = z.strictObject({
  to: z.enum(['int8']),
  /** Directory of JPEGs like those to be scored, relative to the file; none of them may be a smoke photo. */
  calibration: z.string().min(1),
  /** Of the int8 model against the float one, on the smoke photos. EfficientNet-Lite0, calibrated well, keeps four classes. */
  parity: parityWithin({ relative: 0.1, top5: 3 }).prefault({}),
});

const conversion = z.strictObject({
  /** Name of a compute of the workspace, or `serverless`. */
  compute: computeName.default('serverless'),
  /** Size of the serverless machine. */
  instanceType: z.string().default('Standard_D4s_v3'),
  /** Memory that the job may take at once: more is a failure. */
  maxMemory: bytes.default('6G'),
  /** Of the converted model against TensorFlow: of what feeds the softmax where one ends the output. */
  parity: parityWithin({ relative: 0.001, top5: 5 }).prefault({}),
  /** Makes a smaller and faster model of it. Absent: the model stays float. */
  quantize: quantize.optional(),
});

const cluster = z
  .strictObject({
    name: clusterName.optional(),
    /** True: adopt the cluster of that name; it is never created, changed or deleted. */
    existing: z.boolean().default(false),
    /** Azure's name of the region, as `eastus`; default: the workspace's. */
    region: regionName.optional(),
    vmSize: z.string().default('Standard_D4s_v3'),
    nodeCount: z.number().int().min(1).max(1000).default(1),
    /** Absent: AKS' own default. */
    kubernetesVersion: kubernetesVersion.optional(),
  })
  .refine((members) => members.existing !== true || members.name !== undefined, {
    path: ['name'],
    message: 'is missing: an existing cluster is adopted by its name',
    when: isGroup,
  });

const scoring = z.strictObject({
  replicas: z.number().int().min(1).default(1),
  cpu: cpu.default('1'),
  memory: memory.default('1Gi'),
  /** `key`: callers send `authorization: Bearer KEY`. */
  auth: z.enum(['none', 'key']).default('key'),
  /** The server speaks TLS with the certificate of a Secret of type `kubernetes.io/tls`. Absent: plain. */
  tls: z
    .strictObject({
      secret: secretName,
      /** Callers must show a certificate of its `ca.crt`; Slipway shows its `tls.crt`. Absent: callers show none. */
      clientSecret: secretName.optional(),
    })
    .optional(),
  /** True: the public Service also has the port of REST. */
  rest: z.boolean().optional(),
  /**
   * Seconds after which the server ends a client's connection, which then goes to the release that is live. A replaced
   * release serves on for as long, so that no call meets a server that is going.
   */
  connectionAgeSeconds: z.number().int().min(1).max(900).default(300),
  /** One run of the model scores images of several requests. Absent: each request by itself, which is fastest for few callers. */
  batching: z
    .strictObject({
      maxBatchSize: z.number().int().min(2).max(8),
      /** How long an image waits for others while a thread is free. */
      timeoutMilliseconds: z.number().int().min(0).max(1000).default(0),
    })
    .optional(),
});

const smokePhoto = z.strictObject({
  path: z.string().min(1),
  /** Index of the class that must be in the top-5. */
  expect: z.number().int().min(0).optional(),
});

/** A deployment file as the user writes it. Paths are relative to the file. */
export const DeploymentSpec = z.strictObject({
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
});

/** A deployment file after parsing, with defaults filled in. */
export type DeploymentSpec = z.infer<typeof DeploymentSpec>;
/** A deployment file as it may be written, defaults left out. */
export type DeploymentSpecInput = z.input<typeof DeploymentSpec>;
