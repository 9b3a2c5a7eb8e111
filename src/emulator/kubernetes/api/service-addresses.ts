import type { Service } from '../objects/service.js';

/** AKS's default service range is 10.0.0.0/16; .1 is the API server's and .10 the DNS's. */
const firstClusterAddress = 16;
const lastClusterAddress = 65_534;

/** Kubernetes' default range of node ports. */
const nodePorts = { first: 30_000, last: 32_767 };

function lowestFree(
  first: number,
  last: number,
  taken: ReadonlySet<unknown>,
  name: (value: number) => unknown,
): number {
  for (let value = first; value <= last; value += 1) if (!taken.has(name(value))) return value;
  throw new Error(`no value is free between ${first} and ${last}`);
}

const clusterAddress = (index: number) => `10.0.${index >> 8}.${index & 255}`;

/** Gives a Service its cluster address, and node ports where its type has them. Neither is bound to anything. */
export function allocateServiceAddresses(service: Service, existing: readonly Service[]): void {
  const { spec } = service;
  if (spec.clusterIP === undefined || spec.clusterIP === '') {
    const taken = new Set(existing.map((other) => other.spec.clusterIP));
    spec.clusterIP = clusterAddress(lowestFree(firstClusterAddress, lastClusterAddress, taken, clusterAddress));
  }
  spec.clusterIPs ??= [spec.clusterIP];
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
  const taken = new Set(existing.flatMap((other) => other.spec.ports.map((port) => port.nodePort)));
  for (const port of spec.ports) {
    port.nodePort ??= lowestFree(nodePorts.first, nodePorts.last, taken, (value) => value);
    taken.add(port.nodePort);
  }
}
