import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import type { BegunOperation, OperationError } from '../arm/operations.js';
import { resourceKey, resourceName } from '../arm/resource-id.js';
import { vmSizeOf } from '../compute/vm-sizes.js';
import type { Collection } from '../core/documents.js';
import { computeSeconds } from '../core/durations.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { notFound, userError } from './errors.js';
import { systemData, workspacePath, workspaceType, type WorkspaceParams } from './routes.js';
import { findWorkspace, type Workspace } from './workspaces.js';

/** A cluster of machines for jobs, as it is kept. */
export interface Compute {
  id: string;
  location: string;
  vmSize: string;
  createdAt: string;
  /** Succeeded where it is not said: what is seeded needs no operation. */
  provisioningState?: 'Creating' | 'Updating' | 'Deleting' | 'Succeeded' | 'Failed';
  provisioningError?: OperationError;
  scaleSettings?: ScaleSettings;
  tags?: Record<string, string>;
}

const scaleSchema = z.looseObject({
  minNodeCount: z.int().min(0).default(0),
  maxNodeCount: z.int().min(0),
  nodeIdleTimeBeforeScaleDown: z.string().default('PT120S'),
});

type ScaleSettings = z.output<typeof scaleSchema>;

const bodySchema = z.object({
  location: z.string().min(1),
  tags: tagsSchema.optional(),
  properties: z.looseObject({
    computeType: z.literal('AmlCompute', { error: 'only computes of type AmlCompute are emulated' }),
    properties: z.looseObject({ vmSize: z.string(), scaleSettings: scaleSchema.optional() }),
  }),
});

interface ComputeRoute {
  Params: WorkspaceParams & { compute: string };
  Querystring: { underlyingResourceAction?: string };
}

const putOperation = 'ml-compute-put';
const deleteOperation = 'ml-compute-delete';

export function computes(emulator: Emulator): Collection<Compute> {
  return emulator.documents.collection<Compute>('ml-computes');
}

/** Two to 24 letters, digits and hyphens. */
const namePattern = /^[a-zA-Z][a-zA-Z0-9-]{0,22}[a-zA-Z0-9]$/;

const seededScale: ScaleSettings = { minNodeCount: 0, maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: 'PT120S' };

/** Adds an AmlCompute cluster to a workspace. */
export function addCompute(emulator: Emulator, workspace: Workspace, name: string, vmSize: string): void {
  const id = `${workspace.id}/computes/${name}`;
  const { location } = workspace;
  computes(emulator).put(resourceKey(id), { id, location, vmSize, createdAt: emulator.clock.now().toISOString() });
}

/** Computes: put, get, list, delete. Their nodes are this machine, whatever they are asked for. */
export function registerComputes(app: FastifyInstance, emulator: Emulator): void {
  defineOperations(emulator);
  emulator.inventory.source(() =>
    computes(emulator)
      .list()
      .map(({ id, tags }) => ({ kind: 'compute', id, name: resourceName(id), ...(tags && { tags }) })),
  );

  app.get<{ Params: WorkspaceParams }>(`${workspacePath}/computes`, async (request) => {
    const workspace = findWorkspace(emulator, request.params);
    return {
      value: computes(emulator)
        .list(`${resourceKey(workspace.id)}/computes/`)
        .map(toBody),
    };
  });

  const one = `${workspacePath}/computes/:compute`;
  app.get<ComputeRoute>(one, async (request) => {
    const compute = computes(emulator).get(computeKey(emulator, request.params));
    if (compute === undefined) throw notFound(`compute ${request.params.compute}`);
    return toBody(compute);
  });
  app.put<ComputeRoute>(one, async (request, reply) => put(emulator, request, reply));
  app.delete<ComputeRoute>(one, async (request, reply) => remove(emulator, request, reply));
}

function defineOperations(emulator: Emulator): void {
  const settle = (id: string, provisioningState: 'Succeeded' | 'Failed', provisioningError?: OperationError) => {
    const compute = computes(emulator).get(resourceKey(id));
    if (compute === undefined) return;
    computes(emulator).put(resourceKey(id), {
      ...compute,
      provisioningState,
      ...(provisioningError && { provisioningError }),
    });
  };
  const onFailed = (id: string, error: OperationError) => settle(id, 'Failed', error);
  emulator.operations.define(putOperation, { onSucceeded: (id) => settle(id, 'Succeeded'), onFailed });
  const forget = (id: string) => void computes(emulator).delete(resourceKey(id));
  emulator.operations.define(deleteOperation, { onSucceeded: forget, onFailed });
}

function computeKey(emulator: Emulator, params: ComputeRoute['Params']): string {
  return resourceKey(`${findWorkspace(emulator, params).id}/computes/${params.compute}`);
}

function put(emulator: Emulator, request: FastifyRequest<ComputeRoute>, reply: FastifyReply): FastifyReply {
  const { compute: name } = request.params;
  if (!namePattern.test(name))
    throw userError(`The compute name '${name}' is invalid: it must match ${namePattern.source}.`);
  const { location, tags, properties } = parseBody(bodySchema, request.body);
  const { vmSize, scaleSettings } = properties.properties;
  if (vmSizeOf(vmSize) === undefined)
    throw userError(`The specified vmSize '${vmSize}' is not supported in ${location}.`);
  const key = computeKey(emulator, request.params);
  const existing = computes(emulator).get(key);
  if (existing !== undefined) refuseInProgress(existing);
  if (existing !== undefined && existing.vmSize !== vmSize) {
    throw userError(`The vmSize of compute ${name} cannot be changed from ${existing.vmSize}.`);
  }
  const compute: Compute = {
    id: existing?.id ?? `${findWorkspace(emulator, request.params).id}/computes/${name}`,
    location,
    vmSize,
    createdAt: existing?.createdAt ?? emulator.clock.now().toISOString(),
    provisioningState: existing === undefined ? 'Creating' : 'Updating',
    ...(scaleSettings && { scaleSettings }),
    ...(tags && { tags }),
  };
  computes(emulator).put(key, compute);
  effect(request, { change: existing === undefined ? 'created' : 'updated', kind: 'compute', id: compute.id });
  const { statusUrl } = begin(emulator, request, compute, putOperation);
  return reply
    .code(existing === undefined ? 201 : 200)
    .headers({ 'azure-asyncoperation': statusUrl, 'retry-after': retryAfterSeconds })
    .send(toBody(compute));
}

function remove(emulator: Emulator, request: FastifyRequest<ComputeRoute>, reply: FastifyReply): FastifyReply {
  const { underlyingResourceAction: action = '' } = request.query;
  if (!/^(delete|detach)$/i.test(action)) {
    throw userError(`The query parameter underlyingResourceAction must be Delete or Detach, not '${action}'.`);
  }
  const key = computeKey(emulator, request.params);
  const compute = computes(emulator).get(key);
  if (compute === undefined) return reply.code(204).send();
  refuseInProgress(compute);
  computes(emulator).put(key, { ...compute, provisioningState: 'Deleting' });
  effect(request, { change: 'deleted', kind: 'compute', id: compute.id });
  const { statusUrl, resultUrl } = begin(emulator, request, compute, deleteOperation);
  return reply
    .code(202)
    .headers({ 'azure-asyncoperation': statusUrl, location: resultUrl, 'retry-after': retryAfterSeconds })
    .send();
}

/** Throws ArmError 409 while an operation is on its way. */
function refuseInProgress({ id, provisioningState = 'Succeeded' }: Compute): void {
  if (!provisioningState.endsWith('ing')) return;
  throw userError(`Compute ${resourceName(id)} is ${provisioningState}: wait until that is over.`, 409);
}

function begin(emulator: Emulator, request: FastifyRequest, { id, location }: Compute, type: string): BegunOperation {
  const provider = 'Microsoft.MachineLearningServices';
  return emulator.operations.begin(request, {
    type,
    resourceId: id,
    provider,
    region: location,
    seconds: computeSeconds,
  });
}

function toBody(compute: Compute): unknown {
  const { id, location, vmSize, createdAt, tags, provisioningState = 'Succeeded', provisioningError } = compute;
  return {
    id,
    name: resourceName(id),
    type: `${workspaceType}/computes`,
    location,
    ...(tags && { tags }),
    properties: {
      computeType: 'AmlCompute',
      computeLocation: location,
      provisioningState,
      provisioningErrors: provisioningError === undefined ? null : [{ error: provisioningError }],
      createdOn: createdAt,
      isAttachedCompute: false,
      properties: {
        osType: 'Linux',
        vmSize,
        vmPriority: 'Dedicated',
        scaleSettings: compute.scaleSettings ?? seededScale,
        allocationState: 'Steady',
        currentNodeCount: 0,
        targetNodeCount: 0,
      },
    },
    systemData: systemData(createdAt),
  };
}
