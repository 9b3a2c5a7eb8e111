import type { ParitySection } from './section.js';

export const containerService: readonly ParitySection[] = [
  {
    title: 'Container Service',
    rows: [
      {
        operation: 'managed clusters: put, get, list, tags, delete, abort',
        here: 'emulated',
        deviations:
          'States, headers and errors as recorded (`If-None-Match: *`, operation in progress, quota). A cluster is ' +
          'a Kubernetes API server of this process; create takes 250 s, update 90 s, delete 231 s, abort 20 s, ' +
          'scaled. A put that asks for what is there answers 200 and changes nothing; Azure would begin an update. ' +
          'Version upgrades, add-ons, network and identity profiles are recorded without effect.',
        witnesses: ['managed-clusters', 'azure-python', 'az'],
      },
      {
        operation: 'quota, sizes, regions',
        here: 'emulated',
        deviations:
          '350 cores in each region and 100 of each family, none of the families that have to be asked for (NP, ' +
          'PBS). Only the sizes of one table exist, in the regions where they are offered; others are ' +
          '`VMSizeNotSupported`.',
        witnesses: ['managed-clusters', 'compute', 'azure-python', 'az'],
      },
      {
        operation: 'agent pools: put, get, list, delete',
        here: 'emulated',
        deviations:
          'The cluster is Updating meanwhile, for 90 s, scaled. Nodes come and go with their pools, and their pods with ' +
          'them, without being drained first. Labels, taints, autoscaling and upgrades of pools are recorded without ' +
          'effect.',
        witnesses: ['agent-pools', 'managed-clusters', 'azure-python', 'az'],
      },
      {
        operation: 'user and admin credentials',
        here: 'real',
        deviations: "A kubeconfig with a token for the cluster's API server; no client certificate, no Entra ID.",
        witnesses: ['managed-clusters', 'azure-python', 'az'],
      },
      {
        operation: 'run command, maintenance, upgrades, start, stop, rotation of credentials',
        here: 'absent',
      },
    ],
  },
];
