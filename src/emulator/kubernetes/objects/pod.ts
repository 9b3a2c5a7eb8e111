import { z } from 'zod';
import { conditionSchema, intOrString, stringMap, typeMeta } from './metadata.js';

const quantities = z.record(z.string(), z.union([z.string(), z.number()]));
const keyReference = z.looseObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

const envVarSchema = z.looseObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .looseObject({
      fieldRef: z.looseObject({ fieldPath: z.string() }).optional(),
      secretKeyRef: keyReference.optional(),
      configMapKeyRef: keyReference.optional(),
    })
    .optional(),
});
export type EnvVar = z.infer<typeof envVarSchema>;

/** What a probe does; exactly one of the handlers is set. Defaults are those of the Kubernetes API. */
const probeSchema = z.looseObject({
  httpGet: z
    .looseObject({
      path: z.string().default('/'),
      port: intOrString,
      host: z.string().optional(),
      scheme: z.enum(['HTTP', 'HTTPS']).default('HTTP'),
      httpHeaders: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
    })
    .optional(),
  tcpSocket: z.looseObject({ port: intOrString, host: z.string().optional() }).optional(),
  exec: z.looseObject({ command: z.array(z.string()) }).optional(),
  grpc: z.looseObject({ port: z.number().int(), service: z.string().optional() }).optional(),
  initialDelaySeconds: z.number().int().optional(),
  timeoutSeconds: z.number().int().default(1),
  periodSeconds: z.number().int().default(10),
  successThreshold: z.number().int().default(1),
  failureThreshold: z.number().int().default(3),
});
export type Probe = z.infer<typeof probeSchema>;

const securityContextSchema = z.looseObject({
  runAsUser: z.number().int().optional(),
  runAsGroup: z.number().int().optional(),
  runAsNonRoot: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
});

const containerSchema = z.looseObject({
  name: z.string().default(''),
  image: z.string().default(''),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  env: z.array(envVarSchema).optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        containerPort: z.number().int(),
        protocol: z.string().default('TCP'),
      }),
    )
    .optional(),
  resources: z.looseObject({ requests: quantities.optional(), limits: quantities.optional() }).prefault({}),
  volumeMounts: z
    .array(
      z.looseObject({
        name: z.string(),
        mountPath: z.string(),
        subPath: z.string().optional(),
        readOnly: z.boolean().optional(),
      }),
    )
    .optional(),
  livenessProbe: probeSchema.optional(),
  readinessProbe: probeSchema.optional(),
  startupProbe: probeSchema.optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  securityContext: securityContextSchema.optional(),
  terminationMessagePath: z.string().default('/dev/termination-log'),
  terminationMessagePolicy: z.string().default('File'),
});
export type Container = z.infer<typeof containerSchema>;

const keyItems = z.array(z.looseObject({ key: z.string(), path: z.string() })).optional();
const volumeSchema = z.looseObject({
  name: z.string(),
  secret: z.looseObject({ secretName: z.string(), items: keyItems, optional: z.boolean().optional() }).optional(),
  configMap: z.looseObject({ name: z.string(), items: keyItems, optional: z.boolean().optional() }).optional(),
  emptyDir: z.looseObject({ medium: z.string().optional() }).optional(),
});
export type Volume = z.infer<typeof volumeSchema>;

export const podSpecSchema = z.looseObject({
  containers: z.array(containerSchema).default([]),
  volumes: z.array(volumeSchema).optional(),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).default('Always'),
  terminationGracePeriodSeconds: z.number().int().default(30),
  dnsPolicy: z.string().default('ClusterFirst'),
  nodeName: z.string().optional(),
  nodeSelector: stringMap.optional(),
  securityContext: securityContextSchema.prefault({}),
  schedulerName: z.string().default('default-scheduler'),
});
export type PodSpec = z.infer<typeof podSpecSchema>;

export const podTemplateSchema = z.looseObject({
  metadata: z.looseObject({ labels: stringMap.optional(), annotations: stringMap.optional() }).default({}),
  spec: podSpecSchema.prefault({}),
});
export type PodTemplate = z.infer<typeof podTemplateSchema>;

const terminatedSchema = z.looseObject({
  exitCode: z.number().int(),
  signal: z.number().int().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  containerID: z.string().optional(),
});
const containerStateSchema = z.looseObject({
  waiting: z.looseObject({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.looseObject({ startedAt: z.string() }).optional(),
  terminated: terminatedSchema.optional(),
});
export type ContainerState = z.infer<typeof containerStateSchema>;

const containerStatusSchema = z.looseObject({
  name: z.string(),
  ready: z.boolean(),
  started: z.boolean(),
  restartCount: z.number().int(),
  image: z.string(),
  imageID: z.string(),
  containerID: z.string().optional(),
  state: containerStateSchema,
  lastState: containerStateSchema,
});
export type ContainerStatus = z.infer<typeof containerStatusSchema>;

const podStatusSchema = z.looseObject({
  phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']).default('Pending'),
  conditions: z.array(conditionSchema).optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  hostIP: z.string().optional(),
  podIP: z.string().optional(),
  podIPs: z.array(z.looseObject({ ip: z.string() })).optional(),
  startTime: z.string().optional(),
  containerStatuses: z.array(containerStatusSchema).optional(),
  qosClass: z.string().optional(),
});
export type PodStatus = z.infer<typeof podStatusSchema>;

export const podSchema = z.looseObject({
  ...typeMeta,
  spec: podSpecSchema.prefault({}),
  status: podStatusSchema.prefault({}),
});
export type Pod = z.infer<typeof podSchema>;
