import type { ParitySection } from './section.js';

export const kubernetes: readonly ParitySection[] = [
  {
    title: 'Kubernetes API of a cluster',
    rows: [
      {
        operation:
          'namespaces, pods, services, secrets, config maps, events, endpoints, endpoint slices, nodes, ' +
          'deployments, replica sets: create, get, list, watch, replace, patch (JSON, merge, strategic), delete',
        here: 'real',
        deviations:
          'Other resources are 404. No admission webhooks, no resource quotas; everyone with the token may do ' +
          'everything. Unknown fields are kept; `fieldValidation` refuses or names them, and without it nothing is ' +
          'said. A list in pages shows each page as it is then. Bodies may be protobuf, as kubectl from 1.32 on sends them ' +
          'for `create configmap` and its like; answers are JSON.',
        witnesses: ['kubernetes-api', 'kubectl'],
      },
      {
        operation: 'lists and objects as tables, OpenAPI 3 documents',
        here: 'real',
        deviations:
          'The columns that kubectl shows. Types and fields come from the official JavaScript client, without ' +
          'descriptions.',
        witnesses: ['kubectl'],
      },
      {
        operation: 'server-side apply, OpenAPI 2',
        here: 'absent',
        deviations: 'A patch of that type is 415. kubectl before 1.29 wants OpenAPI 2: give it `--validate=false`.',
      },
      {
        operation: 'deployments: rolling update, recreate, pause, scaling, revisions, conditions, garbage collection',
        here: 'real',
        deviations: 'Objects that nobody owns are not adopted by a controller whose selector fits.',
        witnesses: ['kubernetes-rollout', 'kubernetes-api'],
      },
      {
        operation: 'nodes',
        here: 'emulated',
        deviations:
          'They have what their size has, whatever this machine has; pods are placed by their requests, and limits ' +
          'are not enforced. No taints, affinity or eviction.',
        witnesses: ['kubernetes-pods'],
      },
      {
        operation: 'pods',
        here: 'real',
        deviations:
          "Processes started from the image's unpacked layers, chrooted with namespaces of their own as root, in a " +
          'user namespace otherwise (where the container sees itself as root), and with paths only where neither is ' +
          "allowed; the container's id says which. There are no network namespaces: each pod has a loopback address " +
          'of its own (Linux), which the kubelet gives it as `HOST`, and nothing answers at ' +
          '`KUBERNETES_SERVICE_HOST`. Init containers and volumes other than secrets, config maps and empty ' +
          'directories are refused.',
        witnesses: ['kubernetes-pods', 'emulator-layers', 'podman'],
      },
      {
        operation: 'probes: HTTP, TCP, command, gRPC',
        here: 'real',
        deviations: 'Command probes run in a second set of namespaces on the same root.',
        witnesses: ['kubernetes-pods', 'emulator-probes'],
      },
      {
        operation: 'restarts, image pulls: back-off',
        here: 'emulated',
        deviations: '10 s doubling to 300 s, scaled, and never under half a second.',
        witnesses: ['kubernetes-pods'],
      },
      {
        operation: 'logs, port-forward',
        here: 'real',
        deviations:
          'port-forward over SPDY, over SPDY in a WebSocket, as kubectl asks for it, and over channels in a WebSocket, one port ' +
          'a connection. exec and attach are absent.',
        witnesses: ['kubernetes-pods', 'kubernetes-services', 'kubectl'],
      },
      {
        operation: 'image pulls',
        here: 'real',
        deviations:
          "By HTTPS, with a token of the cluster's kubelet identity, which needs AcrPull; `ErrImagePull` and " +
          '`ImagePullBackOff` until then. `imagePullSecrets` are not looked at.',
        witnesses: ['kubernetes-pods', 'registry-sign-in'],
      },
      {
        operation: 'services',
        here: 'emulated',
        deviations:
          'A ClusterIP is reached from nowhere, not even from pods; there is no cluster DNS. A LoadBalancer has a ' +
          'loopback address of its own (Linux) with the real ports, after 20 s, scaled, and takes connections in ' +
          'turn; one that finds no ready pod is reset. Node ports are given and bound to nothing.',
        witnesses: ['kubernetes-services'],
      },
      {
        operation: 'a cluster when the emulator is stopped or killed',
        here: 'emulated',
        deviations: "Its pods end, and run again at the next start, counted as a restart; Azure's would have gone on.",
        witnesses: ['kubernetes-restart'],
      },
    ],
  },
];
