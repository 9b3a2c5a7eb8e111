import { setCondition } from './conditions.js';
import { Controller, keyOf, splitKey } from './controller.js';
import { nodes, pods } from '../api/resources.js';
import type { ClusterContext } from '../cluster-context.js';
import type { Node } from '../objects/cluster.js';
import type { Pod } from '../objects/pod.js';
import { parseQuantity } from '../objects/quantity.js';

const resourceNames = ['cpu', 'memory'] as const;

/** What a pod asks for: the sum of its containers' requests. */
function requested(pod: Pod, resource: string): number {
  return pod.spec.containers.reduce((total, { resources }) => {
    return total + (parseQuantity(resources.requests?.[resource] ?? 0) ?? 0);
  }, 0);
}

/** Why a pod does not fit on a node, or undefined where it does. */
function obstacle(pod: Pod, node: Node, onNode: readonly Pod[]): string | undefined {
  const { labels = {} } = node.metadata;
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  if (!selected) return "node(s) didn't match Pod's node affinity/selector";
  if (onNode.length >= Number(node.status.allocatable.pods ?? 0)) return 'Too many pods';
  for (const resource of resourceNames) {
    const used = onNode.reduce((total, other) => total + requested(other, resource), 0);
    const allocatable = parseQuantity(node.status.allocatable[resource] ?? 0) ?? 0;
    if (used + requested(pod, resource) > allocatable) return `Insufficient ${resource}`;
  }
  return undefined;
}

/** Gives pods to nodes that have room for what they request; the emptiest first. */
export function startScheduler(context: ClusterContext): Controller {
  const { store, registry } = context;
  const recorder = context.recorder.as('default-scheduler');
  const isPending = (pod: Pod) => pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp === undefined;
  const pendingKeys = () => store.list(pods).filter(isPending).map(keyOf);

  function onNode(node: Node): Pod[] {
    const holdsPlace = ({ spec, status }: Pod) =>
      spec.nodeName === node.metadata.name && status.phase !== 'Succeeded' && status.phase !== 'Failed';
    return store.list(pods).filter(holdsPlace);
  }

  function reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const pod = store.get(pods, namespace, name);
    if (pod === undefined || !isPending(pod)) return;
    const candidates = store.list(nodes).map((node) => ({ node, onNode: onNode(node) }));
    const reasons = new Map<string, number>();
    const fitting = candidates.filter(({ node, onNode: present }) => {
      const why = obstacle(pod, node, present);
      if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
      return why === undefined;
    });
    const [best] = fitting.sort((a, b) => a.onNode.length - b.onNode.length);
    if (best === undefined) {
      const list = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ');
      refuse(pod, `0/${candidates.length} nodes are available: ${list === '' ? 'no nodes' : list}.`);
    } else bind(pod, best.node);
  }

  function refuse(pod: Pod, message: string): void {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
    setPodCondition(pod, condition);
    recorder.record(pod, 'Warning', 'FailedScheduling', message);
  }

  function bind(pod: Pod, node: Node): void {
    const nodeName = node.metadata.name;
    setPodCondition(pod, { type: 'PodScheduled', status: 'True' });
    registry.update(pods, pod, ({ spec }) => void (spec.nodeName = nodeName));
    const message = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${nodeName}`;
    recorder.record(pod, 'Normal', 'Scheduled', message);
  }

  function setPodCondition(pod: Pod, condition: Parameters<typeof setCondition>[1]): void {
    const set = ({ status }: Pod) =>
      void (status.conditions = setCondition(status.conditions, condition, registry.now()));
    registry.update(pods, pod, set, { subresource: 'status' });
  }

  return new Controller(context, {
    name: 'scheduler',
    all: pendingKeys,
    // A pod that went, or a new node, makes room for any that waits.
    concernedBy: ({ resource, type, object }) => {
      if (resource === nodes) return pendingKeys();
      if (resource !== pods) return [];
      return type === 'DELETED' ? pendingKeys() : type === 'ADDED' ? [keyOf(object)] : [];
    },
    reconcile,
  });
}
