import type { FastifyInstance } from 'fastify';
import { architecture } from '../architecture.js';
import { kubernetesVersion } from '../limits.js';
import { groupPath } from './object-path.js';
import { apiVersionOf, resources, type Resource, type Subresource } from './resources.js';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const subresourceTypes: Readonly<
  Record<Subresource, { kind?: string; group?: string; version?: string; verbs: string[] }>
> = {
  status: { verbs: ['get', 'patch', 'update'] },
  scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
  log: { verbs: ['get'] },
  portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
};

function describe(resource: Resource): Record<string, unknown>[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = resource;
  const main = { name: plural, singularName: singular, namespaced, kind, verbs };
  return [
    {
      ...main,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    },
    ...resource.subresources.map((name) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      kind,
      ...subresourceTypes[name],
    })),
  ];
}

function resourceList(groupVersion: string): Record<string, unknown> {
  const served = resources.filter((resource) => apiVersionOf(resource) === groupVersion);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: served.flatMap(describe) };
}

/** Registers the OpenAPI documents, which clients ask for before they write. */
function registerOpenApi(app: FastifyInstance): void {
  const paths = [...new Set(resources.map(groupPath))];
  const addresses = paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }] as const);
  app.get('/openapi/v3', () => ({ paths: Object.fromEntries(addresses) }));
  for (const path of paths) {
    app.get(`/openapi/v3/${path}`, async (): Promise<unknown> => {
      // The types are big to load, and few clients ask.
      const { openApiDocument } = await import('./open-api.js');
      return openApiDocument(resources.filter((resource) => groupPath(resource) === path));
    });
  }
}

/** Registers what tells clients which resources there are, the version and the health of the API server. */
export function registerDiscovery(app: FastifyInstance): void {
  const groups = [...new Set(resources.map(({ group }) => group).filter((group) => group !== ''))].map((name) => {
    const preferredVersion = { groupVersion: `${name}/v1`, version: 'v1' };
    return { name, versions: [preferredVersion], preferredVersion };
  });
  app.get('/api', () => ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }));
  app.get('/apis', () => ({ kind: 'APIGroupList', apiVersion: 'v1', groups }));
  app.get('/api/v1', () => resourceList('v1'));
  for (const group of groups) {
    app.get(`/apis/${group.name}`, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...group }));
    app.get(`/apis/${group.name}/v1`, () => resourceList(`${group.name}/v1`));
  }
  registerOpenApi(app);
  const [major = '', minor = ''] = kubernetesVersion.split('.');
  const version = {
    major,
    minor,
    gitVersion: `v${kubernetesVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `linux/${architecture}`,
  };
  // The Python client asks with a slash at the end.
  for (const path of ['/version', '/version/']) app.get(path, () => version);
  for (const path of ['/readyz', '/livez', '/healthz']) app.get(path, () => 'ok');
}
