import type { ParitySection } from './section.js';

export const resourceManager: readonly ParitySection[] = [
  {
    title: 'Resource Manager',
    rows: [
      {
        operation: 'tokens',
        here: 'real',
        deviations:
          'Signature, expiry, tenant and audience are checked: 401 `AuthenticationFailed`, ' +
          '`InvalidAuthenticationToken`.',
        witnesses: ['resource-manager'],
      },
      {
        operation: 'api-version',
        here: 'emulated',
        deviations:
          'Any well-formed version from a floor upwards is accepted; bodies have the shape of one version, and a header ' +
          '`warning: 299` says so where a newer one was asked for.',
        witnesses: ['resource-manager'],
      },
      {
        operation: 'asynchronous operations: `Azure-AsyncOperation`, `Location`',
        here: 'real',
        deviations:
          "Addresses, states and documents as each service's were recorded, as far as they were: Machine Learning's " +
          'jobs have those of its endpoints. Polls of a `Location` that failed answer 409.',
        witnesses: ['operations', 'faults-and-journal', 'jobs', 'az'],
      },
      {
        operation: 'subscriptions, their regions, tenants: get, list',
        here: 'emulated',
        deviations: 'One of each, and the regions of one table.',
        witnesses: ['subscriptions', 'az'],
      },
      {
        operation: 'resource groups: get, head, list, put, patch of tags, delete',
        here: 'real',
        deviations:
          'What is in a group goes one after the other, dependents first, when 240 s, scaled, are over; the journal has ' +
          'each with the group as `cascadeOf`. The first group, and what a workspace needs, are there again at the ' +
          'next start.',
        witnesses: ['subscriptions', 'resource-group-removal', 'az'],
      },
      {
        operation: 'resources of the subscription or a group: list, with `$filter`, `$expand` and pages',
        here: 'real',
        deviations:
          'Filters: `eq` on type, group, location, name and tag, `substringof` of the name, joined by `and`. Moving, ' +
          'validating and exporting resources are absent.',
        witnesses: ['subscriptions', 'az'],
      },
      {
        operation: 'resource providers: get, list, register',
        here: 'emulated',
        deviations: 'Those that are emulated, which are registered. Two api-versions of each are named.',
        witnesses: ['compute', 'subscriptions', 'az'],
      },
      {
        operation: 'lists in pages: `$top`, `nextLink`',
        here: 'emulated',
        deviations:
          'Resources, resource groups, jobs and assets; others come whole. Without `$top` all comes in one page.',
        witnesses: ['subscriptions', 'assets'],
      },
      {
        operation: 'generic resources by id, tags, locks, policies, deployments, management groups',
        here: 'absent',
      },
    ],
  },
  {
    title: 'Authorization',
    rows: [
      {
        operation: 'role assignments: put, get, delete, list with `atScope()` and `principalId eq`',
        here: 'real',
        deviations:
          'The principal is not looked up: an unknown one is accepted. Custom roles, conditions and inherited ' +
          'denies are absent. They take effect after 120 s, scaled.',
        witnesses: ['role-assignments', 'az'],
      },
      {
        operation: 'permissions: list, of a resource group or a resource',
        here: 'emulated',
        deviations: 'The same at every scope; no deny assignments.',
        witnesses: ['permissions'],
      },
      {
        operation: 'role definitions: get, list by `roleName eq`',
        here: 'emulated',
        deviations: 'Six built-in roles, without their permissions.',
        witnesses: ['role-assignments'],
      },
    ],
  },
  {
    title: 'Compute',
    rows: [
      {
        operation: 'sizes (`skus`): list, by region',
        here: 'emulated',
        deviations: 'Only the sizes of one table, each with its cores and memory; one page.',
        witnesses: ['compute'],
      },
      {
        operation: 'usages of a region: list',
        here: 'emulated',
        deviations: 'Cores only, counted from the nodes of the clusters that there are.',
        witnesses: ['compute', 'az'],
      },
      {
        operation: 'virtual machines, disks, everything else',
        here: 'absent',
      },
    ],
  },
  {
    title: 'Storage',
    rows: [
      {
        operation: 'storage accounts: get, list, put, delete, listKeys',
        here: 'emulated',
        deviations:
          'A put answers 200 at once. Path-style addresses (`https://HOST:PORT/ACCOUNT/`). Key rotation and network ' +
          'rules are absent.',
        witnesses: ['blobs', 'az'],
      },
      {
        operation: 'blobs: all that Azurite 3.35 does',
        here: 'real',
        deviations:
          'Tokens are checked for issuer and audience, roles are not; see Azurite for its own deviations. Queues, ' +
          'tables, files are absent.',
        witnesses: ['blobs', 'azure-python'],
      },
    ],
  },
];
