import { z } from 'zod';
import { conditionSchema, stringMap, typeMeta } from './metadata.js';

const base64 = z
  .string()
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'illegal base64 data');

export const secretSchema = z
  .looseObject({
    ...typeMeta,
    type: z.string().default('Opaque'),
    data: z.record(z.string(), base64).optional(),
    stringData: stringMap.optional(),
    immutable: z.boolean().optional(),
  })
  .transform(({ stringData, ...secret }) => {
    if (stringData === undefined) return secret;
    const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    return { ...secret, data: { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) } };
  });
export type Secret = z.infer<typeof secretSchema>;

export const configMapSchema = z.looseObject({
  ...typeMeta,
  data: stringMap.optional(),
  binaryData: z.record(z.string(), base64).optional(),
  immutable: z.boolean().optional(),
});
export type ConfigMap = z.infer<typeof configMapSchema>;

export const namespaceSchema = z.looseObject({
  ...typeMeta,
  spec: z.looseObject({ finalizers: z.array(z.string()).default(['kubernetes']) }).prefault({}),
  status: z.looseObject({ phase: z.enum(['Active', 'Terminating']).default('Active') }).prefault({}),
});
export type Namespace = z.infer<typeof namespaceSchema>;

export const nodeSchema = z.looseObject({
  ...typeMeta,
  spec: z.looseObject({ unschedulable: z.boolean().optional() }).prefault({}),
  status: z
    .looseObject({
      capacity: stringMap.default({}),
      allocatable: stringMap.default({}),
      conditions: z.array(conditionSchema).default([]),
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).default([]),
      nodeInfo: z.looseObject({ kubeletVersion: z.string() }).optional(),
    })
    .prefault({}),
});
export type Node = z.infer<typeof nodeSchema>;

export const eventSchema = z.looseObject({
  ...typeMeta,
  involvedObject: z
    .looseObject({
      kind: z.string().optional(),
      namespace: z.string().optional(),
      name: z.string().optional(),
      uid: z.string().optional(),
    })
    .prefault({}),
  reason: z.string().optional(),
  message: z.string().optional(),
  type: z.string().default('Normal'),
  count: z.number().int().optional(),
  firstTimestamp: z.string().optional(),
  lastTimestamp: z.string().optional(),
  source: z.looseObject({ component: z.string().optional() }).prefault({}),
});
export type Event = z.infer<typeof eventSchema>;
