import { join } from 'node:path';
import { resourceKey } from '../arm/resource-id.js';
import type { Emulator, Listener } from '../core/emulator.js';
import type { InventoryItem } from '../core/inventory.js';
import { configureDataPlane } from './api/data-plane.js';
import type { DataPlane } from './api/exchange.js';
import { errorEnvelope } from './errors.js';
import { registries, type Registry } from './registries.js';
import { Content } from './storage/content.js';
import { collectGarbage } from './storage/garbage.js';
import { Repositories } from './storage/repositories.js';
import { Uploads } from './storage/uploads.js';
import { RegistryTokens } from './tokens.js';

interface OpenRegistry {
  readonly listener: Listener;
  readonly uploads: Uploads;
}

/** The data planes of all registries: an HTTPS listener each, over one store of content. */
export class RegistryService {
  private readonly content: Content;
  private readonly open = new Map<string, Promise<OpenRegistry>>();

  constructor(private readonly emulator: Emulator) {
    this.content = new Content(join(this.emulator.options.state, 'registry', 'blobs'));
    emulator.inventory.source(() => this.inventory());
  }

  /** Opens what an earlier process had open, at the same addresses. */
  async restore(): Promise<void> {
    for (const { name, id } of registries(this.emulator).list()) await this.start(name, id);
    this.collectGarbage();
  }

  /** Opens the data plane of a registry, unless it is open, and returns its login server. */
  async start(name: string, registryId: string): Promise<string> {
    const opening = this.open.get(name) ?? this.listen(name, registryId);
    this.open.set(name, opening);
    return new URL((await opening).listener.url).host;
  }

  /** Closes a registry and removes everything in it. */
  async remove(name: string): Promise<void> {
    const opened = await this.open.get(name);
    this.open.delete(name);
    await opened?.listener.close();
    opened?.uploads.clear();
    this.repositories(name).clear();
    this.collectGarbage();
  }

  private async listen(name: string, registryId: string): Promise<OpenRegistry> {
    const { emulator, content } = this;
    const uploads = new Uploads(join(emulator.options.state, 'registry', 'uploads'), content, emulator.clock, {
      documents: emulator.documents,
      registry: name,
    });
    const plane: DataPlane = {
      emulator,
      registry: () => this.find(registryId),
      repositories: this.repositories(name),
      content,
      uploads,
      tokens: new RegistryTokens(emulator, name),
      collectGarbage: () => {
        uploads.dropAbandoned();
        this.collectGarbage();
      },
    };
    const listener = await emulator.listen('registry', (app) => configureDataPlane(app, plane), {
      name: `registry-${name}`,
      faultBody: (_status, code, message) => ({
        contentType: 'application/json; charset=utf-8',
        body: JSON.stringify(errorEnvelope(code, message)),
      }),
    });
    return { listener, uploads };
  }

  /** What a registry holds. */
  repositories(name: string): Repositories {
    return new Repositories(name, this.emulator.documents, this.emulator.clock);
  }

  private everyRepositories(): Repositories[] {
    return registries(this.emulator)
      .list()
      .map(({ name }) => this.repositories(name));
  }

  private collectGarbage(): void {
    collectGarbage(this.everyRepositories(), this.content, this.emulator.clock);
  }

  private find(registryId: string): Registry {
    const registry = registries(this.emulator).get(resourceKey(registryId));
    if (registry === undefined) throw new Error(`${registryId} is not there, but its listener is`);
    return registry;
  }

  /**
   * Registries, repositories and manifests. A registry's content carries no tags of Resource Manager's kind, so the owner is
   * where an image is found: `REPOSITORY/TAG` for each of its tags.
   */
  private inventory(): InventoryItem[] {
    const resources = registries(this.emulator)
      .list()
      .map(({ id, name, tags }) => ({ kind: 'container-registry', id, name, tags }));
    return [...resources, ...this.everyRepositories().flatMap(imageItems)];
  }
}

function imageItems(repositories: Repositories): InventoryItem[] {
  return repositories.list().flatMap(({ name }) => {
    const id = repositories.id(name);
    const tags = repositories.tags(name);
    const owner = (found: readonly { name: string }[]): string =>
      found.length === 0 ? name : found.map((tag) => `${name}/${tag.name}`).join(' ');
    const manifests = repositories.manifests(name).map(({ digest }) => ({
      kind: 'manifest',
      id: `${id}@${digest}`,
      name: `${name}@${digest}`,
      owner: owner(tags.filter((tag) => tag.digest === digest)),
    }));
    return [{ kind: 'repository', id, name, owner: owner(tags) }, ...manifests];
  });
}

const services = new WeakMap<Emulator, RegistryService>();

/** The registries of an emulator. */
export function registryService(emulator: Emulator): RegistryService {
  let service = services.get(emulator);
  if (service === undefined) {
    service = new RegistryService(emulator);
    services.set(emulator, service);
  }
  return service;
}
