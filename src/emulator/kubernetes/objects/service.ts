import { z } from 'zod';
import { intOrString, stringMap, typeMeta } from './metadata.js';

const servicePortSchema = z.looseObject({
  name: z.string().optional(),
  port: z.number().int(),
  protocol: z.string().default('TCP'),
  targetPort: intOrString.optional(),
  nodePort: z.number().int().optional(),
  appProtocol: z.string().optional(),
});
export type ServicePort = z.infer<typeof servicePortSchema>;

export const serviceSchema = z.looseObject({
  ...typeMeta,
  spec: z
    .looseObject({
      type: z.string().default('ClusterIP'),
      selector: stringMap.optional(),
      ports: z.array(servicePortSchema).default([]),
      clusterIP: z.string().optional(),
      clusterIPs: z.array(z.string()).optional(),
      sessionAffinity: z.string().default('None'),
      publishNotReadyAddresses: z.boolean().optional(),
    })
    .prefault({}),
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({ ingress: z.array(z.looseObject({ ip: z.string().optional() })).optional() })
        .prefault({}),
    })
    .prefault({}),
});
export type Service = z.infer<typeof serviceSchema>;

const targetReference = z.looseObject({
  kind: z.string(),
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
});
const endpointAddressSchema = z.looseObject({
  ip: z.string(),
  nodeName: z.string().optional(),
  targetRef: targetReference.optional(),
});
export const endpointsSchema = z.looseObject({
  ...typeMeta,
  subsets: z
    .array(
      z.looseObject({
        addresses: z.array(endpointAddressSchema).optional(),
        notReadyAddresses: z.array(endpointAddressSchema).optional(),
        ports: z
          .array(z.looseObject({ name: z.string().optional(), port: z.number().int(), protocol: z.string() }))
          .optional(),
      }),
    )
    .optional(),
});
export type Endpoints = z.infer<typeof endpointsSchema>;

export const endpointSliceSchema = z.looseObject({
  ...typeMeta,
  addressType: z.string(),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z.looseObject({
          ready: z.boolean().optional(),
          serving: z.boolean().optional(),
          terminating: z.boolean().optional(),
        }),
        nodeName: z.string().optional(),
        targetRef: targetReference.optional(),
      }),
    )
    .default([]),
  ports: z.array(z.looseObject({ name: z.string(), port: z.number().int(), protocol: z.string() })).default([]),
});
export type EndpointSlice = z.infer<typeof endpointSliceSchema>;
