import { z } from 'zod';
import { conditionSchema, intOrString, labelSelectorSchema, typeMeta } from './metadata.js';
import { podTemplateSchema } from './pod.js';

const rollingUpdateSchema = z.looseObject({
  maxSurge: intOrString.default('25%'),
  maxUnavailable: intOrString.default('25%'),
});

export const deploymentSchema = z.looseObject({
  ...typeMeta,
  spec: z
    .looseObject({
      replicas: z.number().int().default(1),
      selector: labelSelectorSchema.prefault({}),
      template: podTemplateSchema.prefault({}),
      strategy: z
        .looseObject({
          type: z.enum(['RollingUpdate', 'Recreate']).default('RollingUpdate'),
          rollingUpdate: rollingUpdateSchema.optional(),
        })
        .prefault({}),
      minReadySeconds: z.number().int().optional(),
      revisionHistoryLimit: z.number().int().default(10),
      progressDeadlineSeconds: z.number().int().default(600),
      paused: z.boolean().optional(),
    })
    .prefault({}),
  status: z
    .looseObject({
      observedGeneration: z.number().int().optional(),
      replicas: z.number().int().optional(),
      updatedReplicas: z.number().int().optional(),
      readyReplicas: z.number().int().optional(),
      availableReplicas: z.number().int().optional(),
      unavailableReplicas: z.number().int().optional(),
      conditions: z.array(conditionSchema).optional(),
    })
    .prefault({}),
});
export type Deployment = z.infer<typeof deploymentSchema>;

export const replicaSetSchema = z.looseObject({
  ...typeMeta,
  spec: z
    .looseObject({
      replicas: z.number().int().default(1),
      selector: labelSelectorSchema.prefault({}),
      template: podTemplateSchema.prefault({}),
      minReadySeconds: z.number().int().optional(),
    })
    .prefault({}),
  status: z
    .looseObject({
      replicas: z.number().int().default(0),
      fullyLabeledReplicas: z.number().int().optional(),
      readyReplicas: z.number().int().optional(),
      availableReplicas: z.number().int().optional(),
      observedGeneration: z.number().int().optional(),
    })
    .prefault({}),
});
export type ReplicaSet = z.infer<typeof replicaSetSchema>;
