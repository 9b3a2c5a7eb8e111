import { release, version } from 'node:os';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Emulator, Listener } from '../core/emulator.js';
import { Registry } from './api/registry.js';
import { namespaces, nodes, pods } from './api/resources.js';
import { objectPath } from './api/object-path.js';
import { architecture } from './architecture.js';
import { inventoryKind } from './api/routes.js';
import { startApiServer } from './api/server.js';
import { ObjectStore, resourceOf } from './api/store.js';
import type { ClusterContext } from './cluster-context.js';
import type { Controller } from './controllers/controller.js';
import { startDeploymentController } from './controllers/deployment.js';
import { startEndpointsController } from './controllers/endpoints.js';
import { EventRecorder } from './controllers/event-recorder.js';
import { startGarbageCollector } from './controllers/garbage-collector.js';
import { startLoadBalancerController } from './controllers/load-balancer.js';
import { startNamespaceController } from './controllers/namespace.js';
import { startReplicaSetController } from './controllers/replica-set.js';
import { startScheduler } from './controllers/scheduler.js';
import { Kubelet } from './kubelet/kubelet.js';
import { kubernetesVersion, nodeReserved, podsPerNode } from './limits.js';
import type { KubeObject } from './objects/metadata.js';
import type { InventoryItem } from '../core/inventory.js';

/** One node as its cluster describes it. */
export interface NodeSpec {
  name: string;
  pool: string;
  vmSize: string;
  cores: number;
  memoryBytes: number;
}

export interface KubernetesClusterOptions {
  /** Resource id of the cluster in Azure. */
  id: string;
  /** Short name for files, documents and the kept port; the same after a restart. */
  key: string;
  /** Bearer token of its users. */
  token: string;
  /** Object id of the identity that its nodes pull images with. */
  kubeletObjectId: string;
  nodes: readonly NodeSpec[];
}

/** Kinds of objects that users make and that may be left behind. */
const inventoried = new Set(['Deployment', 'ReplicaSet', 'Pod', 'Service', 'Secret', 'ConfigMap']);

/** A running Kubernetes cluster: its API, its controllers and its nodes. */
export class KubernetesCluster {
  private constructor(
    private readonly options: KubernetesClusterOptions,
    private readonly context: ClusterContext,
    private readonly directory: string,
    private readonly listener: Listener,
    private readonly kubelet: Kubelet,
    private readonly controllers: readonly Controller[],
    private readonly closeFronts: () => void,
  ) {}

  /** Starts a cluster; what was in it before a restart is there again and runs. */
  static async start(emulator: Emulator, options: KubernetesClusterOptions): Promise<KubernetesCluster> {
    const store = new ObjectStore(emulator.documents.collection<KubeObject>(options.key));
    const registry = new Registry(store, emulator.clock);
    const recorder = new EventRecorder(registry, emulator.clock, 'cluster');
    const context: ClusterContext = { id: options.id, emulator, store, registry, recorder };
    const directory = join(emulator.options.state, 'kubernetes', options.key);
    makeNamespaces(registry);
    makeNodes(registry, options.nodes);
    const listener = await startApiServer(emulator, {
      clusterId: options.id,
      portName: options.key,
      token: options.token,
      registry,
      logDirectory: join(directory, 'logs'),
    });
    const loadBalancer = startLoadBalancerController(context);
    const controllers = [
      startNamespaceController(context),
      startGarbageCollector(context),
      startDeploymentController(context),
      startReplicaSetController(context),
      startScheduler(context),
      startEndpointsController(context),
      loadBalancer,
    ];
    const kubelet = new Kubelet({
      context,
      directory,
      documents: options.key,
      identityObjectId: options.kubeletObjectId,
    });
    return new KubernetesCluster(options, context, directory, listener, kubelet, controllers, () =>
      loadBalancer.closeFronts(),
    );
  }

  /** Address of its API. */
  get url(): string {
    return this.listener.url;
  }

  /** What lives in it. */
  inventory(): InventoryItem[] {
    return this.context.store
      .all()
      .filter((object) => inventoried.has(object.kind))
      .map((object) => ({
        kind: inventoryKind(object.kind),
        id: `${this.options.id}${objectPath(resourceOf(object), object.metadata.namespace, object.metadata.name)}`,
        name: object.metadata.name,
        tags: { ...object.metadata.annotations },
      }));
  }

  /** Gives the cluster other nodes. The pods of nodes that are gone go with them, and their controllers make others. */
  setNodes(specs: readonly NodeSpec[]): void {
    makeNodes(this.context.registry, specs);
  }

  /** Stops everything that runs; the next start goes on from here. */
  async close(): Promise<void> {
    for (const controller of this.controllers) await controller.stop();
    this.closeFronts();
    await this.listener.close();
    await this.kubelet.close();
  }

  /** Stops everything and forgets it. */
  async destroy(): Promise<void> {
    await this.close();
    this.context.store.clear();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function makeNamespaces(registry: Registry): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    if (registry.store.get(namespaces, undefined, name) !== undefined) continue;
    const labels = { 'kubernetes.io/metadata.name': name };
    registry.create(namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }
}

function makeNodes(registry: Registry, specs: readonly NodeSpec[]): void {
  const wanted = new Set(specs.map(({ name }) => name));
  for (const { metadata } of registry.store.list(nodes)) {
    if (!wanted.has(metadata.name)) removeNode(registry, metadata.name);
  }
  for (const spec of specs) {
    if (registry.store.get(nodes, undefined, spec.name) === undefined) makeNode(registry, spec);
  }
}

function removeNode(registry: Registry, name: string): void {
  registry.delete(nodes, undefined, name);
  for (const { metadata, spec } of registry.store.list(pods)) {
    if (spec.nodeName === name) registry.delete(pods, metadata.namespace, metadata.name);
  }
}

function makeNode(registry: Registry, { name, pool, vmSize, cores, memoryBytes }: NodeSpec): void {
  const memory = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`;
  const now = registry.now();
  const condition = (type: string, status: 'True' | 'False', reason: string) => {
    return { type, status, reason, lastHeartbeatTime: now, lastTransitionTime: now };
  };
  registry.create(nodes, undefined, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
        'node.kubernetes.io/instance-type': vmSize,
        agentpool: pool,
        'kubernetes.azure.com/agentpool': pool,
      },
    },
    status: {
      capacity: { cpu: String(cores), memory: memory(memoryBytes), pods: String(podsPerNode) },
      allocatable: {
        cpu: `${Math.floor(cores * (1 - nodeReserved.cpuShare) * 1000)}m`,
        memory: memory(memoryBytes - nodeReserved.memoryBytes),
        pods: String(podsPerNode),
      },
      conditions: [
        condition('Ready', 'True', 'KubeletReady'),
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      ],
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        kubeletVersion: `v${kubernetesVersion}`,
        kubeProxyVersion: '',
        containerRuntimeVersion: 'slipway://1',
        architecture,
        operatingSystem: 'linux',
        osImage: version(),
        kernelVersion: release(),
        machineID: '',
        systemUUID: '',
        bootID: '',
      },
    },
  });
}
