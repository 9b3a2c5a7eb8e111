import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { effect, type Effect } from '../../core/journal.js';
import type { KubeObject } from '../objects/metadata.js';
import { validateFields } from './field-validation.js';
import type { Json, JsonObject } from './json.js';
import { objectPath } from './object-path.js';
import { applyPatch } from './patch.js';
import type { Registry, Written } from './registry.js';
import { parseDeleteOptions, parsePath, parseQuery, selectorOf } from './requests.js';
import { apiVersionOf, resources, type Resource } from './resources.js';
import { badRequest, cause, invalid, methodNotAllowed } from './status.js';
import { toTable, wantsTable } from './table.js';
import { serveWatch } from './watch.js';

/** Kind of an object as inventory and journal name it: `ReplicaSet` is `replica-set`. */
export function inventoryKind(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

/** Registers create, read, replace, patch, delete, list and watch of every resource. `clusterId` begins ids in the journal. */
export function registerResources(app: FastifyInstance, registry: Registry, clusterId: string): void {
  for (const resource of resources) new ResourceRoutes(registry, resource, clusterId).register(app);
}

class ResourceRoutes {
  constructor(
    private readonly registry: Registry,
    private readonly resource: Resource,
    private readonly clusterId: string,
  ) {}

  register(app: FastifyInstance): void {
    const { resource } = this;
    const everywhere = objectPath(resource, undefined, '').replace(/\/$/, '');
    const collection = resource.namespaced ? objectPath(resource, ':namespace', '').replace(/\/$/, '') : everywhere;
    const item = `${collection}/:name`;
    app.get(collection, (request, reply) => this.list(request, reply));
    if (resource.namespaced) app.get(everywhere, (request, reply) => this.list(request, reply));
    const preHandler = (request: FastifyRequest, reply: FastifyReply) => validateFields(resource, request, reply);
    app.post(collection, { preHandler }, (request, reply) => this.create(request, reply));
    app.delete(collection, (request) => this.deleteCollection(request));
    app.post(item, () => Promise.reject(methodNotAllowed()));
    app.get(item, (request) => this.read(request));
    app.put(item, { preHandler }, (request) => this.replace(request));
    app.patch(item, { preHandler }, (request) => this.patch(request));
    app.delete(item, (request) => this.delete(request));
    if (resource.subresources.includes('status')) {
      app.get(`${item}/status`, (request) => this.read(request));
      app.put(`${item}/status`, (request) => this.replace(request, 'status'));
      app.patch(`${item}/status`, (request) => this.patch(request, 'status'));
    }
    if (resource.subresources.includes('scale')) {
      app.get(`${item}/scale`, (request) => toScale(this.find(request)));
      app.put(`${item}/scale`, (request) => this.scale(request, () => request.body as Json));
      app.patch(`${item}/scale`, (request) => {
        const patched = (scale: JsonObject) => applyPatch(mediaType(request), scale, request.body as Json);
        return this.scale(request, patched);
      });
    }
  }

  private list(request: FastifyRequest, reply: FastifyReply): unknown {
    const { namespace } = parsePath(request);
    const query = parseQuery(request.query);
    if (query.watch === true) {
      const show = (object: KubeObject) => (wantsTable(request) ? this.table([object]) : object);
      serveWatch(reply, this.registry.store, { resource: this.resource, namespace, query, show });
      return reply;
    }
    const matching = this.registry.store.list(this.resource, namespace).filter(selectorOf(this.resource, query));
    const first = query.continue === undefined ? 0 : pageStart(query.continue);
    const last = query.limit === undefined || query.limit === 0 ? matching.length : first + query.limit;
    const more = last < matching.length;
    const metadata = {
      resourceVersion: String(this.registry.store.version),
      ...(more ? { continue: pageToken(last), remainingItemCount: matching.length - last } : {}),
    };
    const items = matching.slice(first, last);
    if (wantsTable(request)) return this.table(items, metadata);
    return { kind: `${this.resource.kind}List`, apiVersion: apiVersionOf(this.resource), metadata, items };
  }

  private find(request: FastifyRequest): KubeObject {
    const { namespace, name } = parsePath(request);
    return this.registry.get(this.resource, namespace, name);
  }

  private read(request: FastifyRequest): unknown {
    const object = this.find(request);
    return wantsTable(request) ? this.table([object]) : object;
  }

  private table(objects: readonly KubeObject[], metadata: unknown = {}): unknown {
    return toTable(this.resource.columns, objects, metadata, new Date(this.registry.now()));
  }

  private create(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { namespace } = parsePath(request);
    const dryRun = parseQuery(request.query).dryRun !== undefined;
    const written = this.registry.create(this.resource, namespace, request.body, { dryRun });
    this.record(request, written, dryRun);
    return reply.code(201).send(written.object);
  }

  private replace(request: FastifyRequest, subresource?: 'status'): KubeObject {
    return this.write(request, () => request.body, subresource);
  }

  private patch(request: FastifyRequest, subresource?: 'status'): KubeObject {
    // Stored objects hold JSON only, and so does a parsed body.
    const patched = (current: KubeObject) =>
      applyPatch(mediaType(request), current as JsonObject, request.body as Json);
    return this.write(request, patched, subresource);
  }

  private write(request: FastifyRequest, change: (current: KubeObject) => unknown, subresource?: 'status'): KubeObject {
    const { namespace, name } = parsePath(request);
    const dryRun = parseQuery(request.query).dryRun !== undefined;
    const body = change(this.registry.get(this.resource, namespace, name));
    const options = { dryRun, ...(subresource === undefined ? {} : { subresource }) };
    const written = this.registry.replace(this.resource, namespace, name, body, options);
    this.record(request, written, dryRun);
    return written.object;
  }

  private scale(request: FastifyRequest, change: (scale: JsonObject) => Json): unknown {
    const current = this.find(request);
    const scale = change(toScale(current)) as { spec?: { replicas?: unknown } } | null;
    const replicas = scale?.spec?.replicas ?? 0;
    if (typeof replicas !== 'number') throw badRequest('spec.replicas must be a number');
    if (replicas < 0) {
      const negative = cause.invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
      throw invalid(this.resource, current.metadata.name, [negative]);
    }
    return toScale(this.write(request, (object) => ({ ...object, spec: { ...(object.spec as object), replicas } })));
  }

  private delete(request: FastifyRequest): unknown {
    const { namespace, name } = parsePath(request);
    const options = parseDeleteOptions(request.body, parseQuery(request.query));
    const { object, gone, change } = this.registry.delete(this.resource, namespace, name, options);
    effect(request, { change, kind: inventoryKind(this.resource.kind), id: this.id(object) });
    if (!gone || this.resource.answersDeleted) return object;
    const { group, plural } = this.resource;
    const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid: object.metadata.uid };
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  }

  private deleteCollection(request: FastifyRequest): unknown {
    const { namespace } = parsePath(request);
    const query = parseQuery(request.query);
    const options = parseDeleteOptions(request.body, query);
    const items = this.registry.store.list(this.resource, namespace).filter(selectorOf(this.resource, query));
    for (const { metadata } of items) this.registry.delete(this.resource, metadata.namespace, metadata.name, options);
    effect(request, {
      change: items.length > 0 ? 'deleted' : 'unchanged',
      kind: inventoryKind(this.resource.kind),
      id: `${this.clusterId}${request.call.path}`,
    });
    return { kind: `${this.resource.kind}List`, apiVersion: apiVersionOf(this.resource), metadata: {}, items };
  }

  private record(request: FastifyRequest, { object, change }: Written<KubeObject>, dryRun: boolean): void {
    const said: Effect['change'] = dryRun ? 'unchanged' : change;
    effect(request, { change: said, kind: inventoryKind(this.resource.kind), id: this.id(object) });
  }

  private id({ metadata }: KubeObject): string {
    return `${this.clusterId}${objectPath(this.resource, metadata.namespace, metadata.name)}`;
  }
}

/** The `scale` subresource of a Deployment or ReplicaSet, which are the ones that have it. */
function toScale(object: KubeObject): JsonObject {
  const { spec, status, metadata } = object as KubeObject & {
    spec: { replicas: number; selector: { matchLabels?: Record<string, string> } };
    status: { replicas?: number };
  };
  const selector = Object.entries(spec.selector.matchLabels ?? {}).map((pair) => pair.join('='));
  const { name, namespace = '', uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, selector: selector.join(',') },
  };
}

function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
}

const pageToken = (start: number): string => Buffer.from(JSON.stringify({ start })).toString('base64url');

function pageStart(token: string): number {
  const start = /^\{"start":(\d+)\}$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (start === undefined) throw badRequest('continue key is not valid');
  return Number(start);
}
