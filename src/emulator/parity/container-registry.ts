import type { ParitySection } from './section.js';

export const containerRegistry: readonly ParitySection[] = [
  {
    title: 'Container Registry',
    rows: [
      {
        operation: 'registries: put, get, list, update, name availability',
        here: 'emulated',
        deviations:
          'A put answers 200 at once, as was recorded. The login server is `127.0.0.1:PORT`, an HTTPS listener of ' +
          "each registry's own. Of the properties only `adminUserEnabled` has an effect; the others are given back. " +
          'The seeded registry has its admin user on.',
        witnesses: ['registry-resource', 'az'],
      },
      {
        operation: 'registries: delete',
        here: 'real',
        deviations: '202 with only `Location`, as recorded; 15 s, scaled.',
        witnesses: ['registry-resource'],
      },
      {
        operation: 'registries: listCredentials, regenerateCredential',
        here: 'real',
        witnesses: ['registry-resource'],
      },
      {
        operation: 'registries: importImage, by resource id or login server',
        here: 'emulated',
        deviations:
          "From registries of this Azure only, with the admin user's credentials where it goes by login server. The " +
          'image is there before the 202; `Location` takes 20 s, scaled.',
        witnesses: ['registry-import'],
      },
      {
        operation: 'tasks and runs, webhooks, replications, scope maps, tokens, private endpoints',
        here: 'absent',
      },
      {
        operation: 'blobs: check, get, ranges, delete',
        here: 'real',
        deviations: 'Sent by the registry itself; Azure redirects (307) to its storage.',
        witnesses: ['registry-protocol', 'podman', 'oracles'],
      },
      {
        operation: 'uploads: in one request, in chunks, mount, status, cancel',
        here: 'real',
        deviations:
          "Locations are relative, as Azure's are, without `_state`. An upload goes on after a restart, and is " +
          'dropped a day after it began.',
        witnesses: ['registry-protocol', 'oracles'],
      },
      {
        operation: 'manifests: get, put, delete by digest',
        here: 'real',
        deviations:
          'OCI and Docker schema 2, images and indexes, each checked for what it refers to. sha256 only. Deleting ' +
          'by tag is 405. The referrers API is absent.',
        witnesses: ['registry-images', 'registry-protocol', 'oracles'],
      },
      {
        operation: '`/v2/_catalog`, `tags/list`, with paging',
        here: 'real',
        witnesses: ['registry-images', 'oracles'],
      },
      {
        operation: '`/acr/v1`: repositories, manifests, tags: list, get, update, delete',
        here: 'real',
        deviations:
          'Of the locks, deleting and writing are enforced, reading and listing are only recorded. A repository ' +
          'goes with its last manifest.',
        witnesses: ['registry-images'],
      },
      {
        operation: "sign-in: Basic, `/oauth2/exchange`, `/oauth2/token` (refresh token, password, Docker's GET)",
        here: 'real',
        deviations:
          'Owner, Contributor, AcrPush and AcrPull at the registry or above decide; the application may do ' +
          'everything. Who may do nothing of what it asks for gets 401 from the token endpoint. Anonymous pull, ' +
          'repository permissions (ABAC) and scoped tokens are absent.',
        witnesses: ['registry-sign-in', 'az', 'oracles'],
      },
      {
        operation: 'removal of unreferenced blobs',
        here: 'emulated',
        deviations: 'When a repository goes and at every start, if they are more than an hour old.',
        witnesses: ['registry-protocol'],
      },
    ],
  },
];
