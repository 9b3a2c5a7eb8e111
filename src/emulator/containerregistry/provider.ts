import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseBody, tagsSchema } from '../arm/body.js';
import { ArmError, badRequest, conflict } from '../arm/errors.js';
import { resourceId, resourceKey } from '../arm/resource-id.js';
import type { Emulator } from '../core/emulator.js';
import { effect } from '../core/journal.js';
import { retryAfterSeconds } from '../core/limits.js';
import { deleteSeconds } from './limits.js';
import { registerImport } from './import.js';
import {
  findRegistry,
  newPassword,
  registries,
  registryBody,
  registryPath,
  registryType,
  trackedRegistry,
  type Registry,
  type RegistryRoute,
} from './registries.js';
import { registryService } from './service.js';

const deleteOperation = 'container-registry-delete';
const namePattern = /^[a-zA-Z0-9]{5,50}$/;

const propertiesSchema = z.looseObject({ adminUserEnabled: z.boolean().optional() });
const putSchema = z.object({
  location: z.string(),
  sku: z.object({ name: z.enum(['Basic', 'Standard', 'Premium']) }),
  tags: tagsSchema.default({}),
  properties: propertiesSchema.default({}),
});
const patchSchema = z.object({
  sku: putSchema.shape.sku.optional(),
  tags: tagsSchema.optional(),
  properties: propertiesSchema.optional(),
});
const availabilitySchema = z.object({ name: z.string(), type: z.literal(registryType) });
const regenerateSchema = z.object({ name: z.enum(['password', 'password2']) });

type RegistrySettings = z.output<typeof putSchema>;

/** Container registries of Resource Manager. Opens the data planes of those that are there already. */
export async function registerContainerRegistry(app: FastifyInstance, emulator: Emulator): Promise<void> {
  const service = registryService(emulator);
  await service.restore();
  const remove = async (id: string): Promise<void> => {
    const registry = registries(emulator).get(resourceKey(id));
    if (registry !== undefined) await service.remove(registry.name);
    registries(emulator).delete(resourceKey(id));
  };
  emulator.operations.define(deleteOperation, {
    onSucceeded: remove,
    onFailed(id) {
      const registry = registries(emulator).get(resourceKey(id));
      if (registry !== undefined)
        registries(emulator).put(resourceKey(id), { ...registry, provisioningState: 'Failed' });
    },
  });
  emulator.resourceTypes.add({
    type: registryType,
    kind: 'container-registry',
    list: () => registries(emulator).list().map(trackedRegistry),
    remove,
  });
  registerResourceRoutes(app, emulator);
  registerActionRoutes(app, emulator);
  registerImport(app, emulator);
}

/** Makes a registry if it is not there, with its admin user on, as workspaces of Azure Machine Learning have it. */
export async function seedRegistry(
  emulator: Emulator,
  registry: { subscriptionId: string; resourceGroup: string; name: string; location: string },
): Promise<Registry> {
  const id = resourceId(registry, registryType, registry.name);
  const existing = registries(emulator).get(resourceKey(id));
  if (existing !== undefined) return existing;
  const settings = { location: registry.location, sku: { name: 'Basic' as const }, tags: {} };
  const seeded = await settled(emulator, id, registry.name, { ...settings, properties: { adminUserEnabled: true } });
  registries(emulator).put(resourceKey(id), seeded);
  return seeded;
}

function registerResourceRoutes(app: FastifyInstance, emulator: Emulator): void {
  const all = registries(emulator);
  const inSubscription = `/subscriptions/:subscriptionId/providers/${registryType}`;
  const one = registryPath;
  const inGroup = one.slice(0, one.lastIndexOf('/'));

  app.get(inSubscription, async () => ({ value: all.list().map(registryBody) }));

  app.get<{ Params: Omit<RegistryRoute['Params'], 'registryName'> }>(inGroup, async (request) => {
    const prefix = resourceKey(resourceId(request.params, registryType, ''));
    return { value: all.list(`${prefix}/`).map(registryBody) };
  });

  app.get<RegistryRoute>(one, async (request) => registryBody(findRegistry(emulator, request.params)));

  app.put<RegistryRoute>(one, async (request) => {
    const { registryName: name } = request.params;
    const id = resourceId(request.params, registryType, name);
    const settings = parseBody(putSchema, request.body);
    checkName(emulator, name, id);
    const existing = all.get(resourceKey(id));
    refuseDeleting(existing);
    const registry = await settled(emulator, id, name, settings, existing);
    const unchanged = isDeepStrictEqual(existing, registry);
    if (!unchanged) all.put(resourceKey(id), registry);
    const change = existing === undefined ? 'created' : unchanged ? 'unchanged' : 'updated';
    effect(request, { change, kind: 'container-registry', id: registry.id });
    return registryBody(registry);
  });

  app.patch<RegistryRoute>(one, async (request) => {
    const existing = findRegistry(emulator, request.params);
    refuseDeleting(existing);
    const { sku = existing.sku, tags = existing.tags, properties = {} } = parseBody(patchSchema, request.body);
    const { adminUserEnabled = existing.adminUserEnabled, ...others } = properties;
    const registry = { ...existing, sku, tags, adminUserEnabled, properties: { ...existing.properties, ...others } };
    all.put(resourceKey(registry.id), registry);
    const change = isDeepStrictEqual(existing, registry) ? 'unchanged' : 'updated';
    effect(request, { change, kind: 'container-registry', id: registry.id });
    return registryBody(registry);
  });

  app.delete<RegistryRoute>(one, async (request, reply) => {
    const id = resourceId(request.params, registryType, request.params.registryName);
    const registry = all.get(resourceKey(id));
    if (registry === undefined) return reply.code(204).send();
    const { resultUrl } = emulator.operations.begin(request, {
      type: deleteOperation,
      resourceId: registry.id,
      provider: 'Microsoft.ContainerRegistry',
      region: registry.location,
      seconds: deleteSeconds,
    });
    const change = registry.provisioningState === 'Deleting' ? 'unchanged' : 'deleted';
    all.put(resourceKey(id), { ...registry, provisioningState: 'Deleting' });
    effect(request, { change, kind: 'container-registry', id: registry.id });
    return reply.code(202).headers({ location: resultUrl, 'retry-after': retryAfterSeconds }).send();
  });
}

function registerActionRoutes(app: FastifyInstance, emulator: Emulator): void {
  const one = registryPath;

  app.post(
    '/subscriptions/:subscriptionId/providers/Microsoft.ContainerRegistry/checkNameAvailability',
    async (request) => {
      const { name } = parseBody(availabilitySchema, request.body);
      try {
        checkName(emulator, name);
        return { nameAvailable: true };
      } catch (error) {
        if (!(error instanceof ArmError)) throw error;
        const reason = error.code === 'AlreadyInUse' ? 'AlreadyExists' : 'Invalid';
        return { nameAvailable: false, reason, message: error.message };
      }
    },
  );

  app.post<RegistryRoute>(`${one}/listCredentials`, async (request) => {
    return credentials(findRegistry(emulator, request.params));
  });

  app.post<RegistryRoute>(`${one}/regenerateCredential`, async (request) => {
    const registry = findRegistry(emulator, request.params);
    const { name } = parseBody(regenerateSchema, request.body);
    const [first, second] = registry.passwords;
    const passwords: [string, string] = name === 'password' ? [newPassword(), second] : [first, newPassword()];
    const regenerated = { ...registry, passwords };
    const answer = credentials(regenerated);
    registries(emulator).put(resourceKey(registry.id), regenerated);
    effect(request, { change: 'updated', kind: 'container-registry', id: registry.id });
    return answer;
  });
}

function refuseDeleting(registry: Registry | undefined): void {
  if (registry?.provisioningState !== 'Deleting') return;
  throw conflict('RegistryBeingDeleted', `The registry ${registry.name} is being deleted.`);
}

/** The registry that the settings ask for; what exists keeps its address, passwords and date. */
async function settled(
  emulator: Emulator,
  id: string,
  name: string,
  { location, sku, tags, properties: { adminUserEnabled = false, ...properties } }: RegistrySettings,
  existing?: Registry,
): Promise<Registry> {
  return {
    id: existing?.id ?? id,
    name: existing?.name ?? name,
    location,
    tags,
    sku,
    loginServer: existing?.loginServer ?? (await registryService(emulator).start(name, id)),
    adminUserEnabled,
    passwords: existing?.passwords ?? [newPassword(), newPassword()],
    creationDate: existing?.creationDate ?? emulator.clock.now().toISOString(),
    provisioningState: 'Succeeded',
    properties,
  };
}

/** Names are of all Azure, not of a resource group. `id` is the resource that may have it already. */
function checkName(emulator: Emulator, name: string, id?: string): void {
  if (!namePattern.test(name)) {
    throw badRequest('InvalidResourceName', `The registry name '${name}' must be 5 to 50 letters and digits.`);
  }
  const holder = registries(emulator)
    .list()
    .find((registry) => registry.name.toLowerCase() === name.toLowerCase());
  if (holder === undefined || (id !== undefined && resourceKey(holder.id) === resourceKey(id))) return;
  throw conflict('AlreadyInUse', `The registry DNS name ${name.toLowerCase()}.azurecr.io is already in use.`);
}

function credentials(registry: Registry): Record<string, unknown> {
  if (!registry.adminUserEnabled) {
    throw badRequest(
      'UnAuthorizedForCredentialOperations',
      `Cannot perform credential operations for ${registry.id} as admin user is disabled.`,
    );
  }
  const [password, password2] = registry.passwords;
  return {
    username: registry.name,
    passwords: [
      { name: 'password', value: password },
      { name: 'password2', value: password2 },
    ],
  };
}
