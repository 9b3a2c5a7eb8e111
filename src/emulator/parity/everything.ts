import type { ParitySection } from './section.js';

export const everything: readonly ParitySection[] = [
  {
    title: 'Everything',
    rows: [
      {
        operation: 'time',
        here: 'emulated',
        deviations:
          "Azure's recorded durations are divided by `--time-scale` (60; 1 with `--realtime`), and what is in progress says " +
          '`Retry-After: 1` whatever the scale. Limits that users set on jobs and probes are not scaled. The clock can be advanced, ' +
          'and stays advanced.',
        witnesses: ['role-assignments', 'time'],
      },
      {
        operation: 'addresses',
        here: 'emulated',
        deviations:
          'Everything is HTTPS on loopback (elsewhere only with `--allow-remote`) with a CA of its own. Host name, port, ' +
          'subscription, tenant and region can be given; they are kept with the state, as are CA and credentials. Only ' +
          "a cluster's API moves to another port where its own is taken, as clients ask for its address each time.",
        witnesses: ['restart', 'kubernetes-restart', 'other-place'],
      },
      {
        operation: 'state',
        here: 'real',
        deviations:
          'On disk before a call is answered; survives `kill -9`, as do operations in progress. Azurite writes its ' +
          'index every few seconds and when it is told to stop: an Azurite that is killed itself loses up to five ' +
          'seconds of blobs. A second emulator on the same state is refused.',
        witnesses: ['restart'],
      },
      {
        operation: 'names that lead elsewhere',
        here: 'emulated',
        deviations:
          'A path with `..`, `.` or a zero byte in it, however encoded, is 400 `InvalidUri` from every service; members of ' +
          'layers, names of inputs, outputs and blobs, and keys of Secrets and ConfigMaps stay where they belong.',
        witnesses: ['safety', 'emulator-layers'],
      },
      {
        operation: 'requests',
        here: 'emulated',
        deviations: 'No throttling, no request is refused for its rate; the remaining-requests headers are constant.',
        witnesses: ['resource-manager'],
      },
      {
        operation: 'permissions',
        here: 'emulated',
        deviations:
          'There is one application, which owns the subscription; `/_emulator/permissions` gives it other roles, at ' +
          'every scope, and Resource Manager then refuses what they do not allow (403 `AuthorizationFailed`). Blobs ' +
          "and the registry's content are not refused. Role assignments matter for image pulls only.",
        witnesses: ['permissions', 'registry-sign-in'],
      },
      {
        operation: 'faults',
        here: 'added',
        deviations:
          'Not in Azure: `/_emulator/faults` makes the n-th matching call, or that of each path, or a seeded share of them, ' +
          'by service, method, path and state of the resource, fail before the handler, after the commit (lost, late, ' +
          'truncated or another reply), or in its operation: with a code, stuck, or Updating again after Succeeded. Each ' +
          'rule counts how often it has fired.',
        witnesses: ['faults-and-journal', 'relapsing-cluster'],
      },
      {
        operation: 'quotas and permissions',
        here: 'added',
        deviations:
          'Not in Azure: `/_emulator/quotas` sets a quota in every region, `/_emulator/permissions` the ' +
          "application's roles.",
        witnesses: ['compute', 'permissions'],
      },
      {
        operation: 'journal, inventory, clock, health',
        here: 'added',
        deviations:
          'Not in Azure: `/_emulator/journal`, `/_emulator/inventory`, `/_emulator/clock`, `/healthz`. Without ' +
          'sign-in, since they are on loopback.',
        witnesses: ['faults-and-journal'],
      },
    ],
  },
  {
    title: 'Sign-in',
    rows: [
      {
        operation: "`GET /metadata/endpoints`: this cloud's endpoints",
        here: 'emulated',
        deviations: 'As in api-version 2022-09-01, without the suffixes of host names that Azure has.',
        witnesses: ['az'],
      },
      {
        operation: '`POST /TENANT/oauth2/v2.0/token`, client credentials with a secret',
        here: 'real',
        deviations: 'Any audience is granted. Other grants, certificates and federated credentials are absent.',
        witnesses: ['resource-manager', 'az'],
      },
      {
        operation: '`GET /TENANT/v2.0/.well-known/openid-configuration`, `/discovery/v2.0/keys`',
        here: 'real',
        deviations: 'Clients must set `disableInstanceDiscovery`: the authority is not one that they know.',
        witnesses: ['resource-manager', 'az'],
      },
      {
        operation: '`GET /metadata/identity/oauth2/token`',
        here: 'emulated',
        deviations:
          'At the address of everything else, not at 169.254.169.254; one system-assigned identity, that of the ' +
          'application.',
        witnesses: ['resource-manager'],
      },
    ],
  },
];
