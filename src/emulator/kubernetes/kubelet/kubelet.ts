import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { configMaps, pods, secrets } from '../api/resources.js';
import type { StoreEvent } from '../api/store.js';
import type { ClusterContext } from '../cluster-context.js';
import type { PulledImage } from './image-store.js';
import { ImageStore } from './image-store.js';
import { LayerCache } from './layer-cache.js';
import { suspendGraceMs } from '../limits.js';
import type { Pod } from '../objects/pod.js';
import { PodWorker, type PodWorkerOptions } from './pod-worker.js';
import { detectIsolation, Sandbox } from './sandbox.js';
import { usesInVolume } from './volumes.js';

export interface KubeletOptions {
  context: ClusterContext;
  /** Directory of this cluster's pods and logs. */
  directory: string;
  /** Name that this cluster's documents begin with. */
  documents: string;
  /** Object id of the identity that pulls images. */
  identityObjectId: string;
}

/** Audience of the tokens that registries exchange. */
const registryAudience = 'https://containerregistry.azure.net';

/** Runs the pods of all nodes of a cluster. */
export class Kubelet {
  private readonly workers = new Map<string, PodWorker>();
  private readonly addresses = new Map<string, string>();
  private readonly options: PodWorkerOptions;
  private readonly unsubscribe: () => void;

  constructor({ context, directory, documents, identityObjectId }: KubeletOptions) {
    const { emulator } = context;
    this.options = {
      context,
      images: new ImageStore({
        images: emulator.documents.collection<PulledImage>(`${documents}-images`),
        layers: new LayerCache(join(emulator.options.cache, 'layers')),
        entraToken: () => emulator.issueToken(registryAudience, identityObjectId),
        ca: emulator.certificates.caPem,
      }),
      sandbox: new Sandbox(emulator.processes, detectIsolation()),
      logDirectory: join(directory, 'logs'),
      podDirectory: join(directory, 'pods'),
    };
    this.unsubscribe = context.store.subscribe((event) => this.onChange(event));
    for (const pod of context.store.list(pods)) this.sync(pod);
  }

  get logDirectory(): string {
    return this.options.logDirectory;
  }

  /** Stops every process; the pods stay in the API and run again after the next start. */
  async close(): Promise<void> {
    this.unsubscribe();
    await Promise.all([...this.workers.values()].map((worker) => worker.suspend(suspendGraceMs)));
  }

  private onChange({ resource, type, object }: StoreEvent): void {
    if (resource === secrets || resource === configMaps) {
      for (const [uid, worker] of this.workers) {
        const pod = this.options.context.store.list(pods).find(({ metadata }) => metadata.uid === uid);
        const isUsed = pod !== undefined && usesInVolume(pod, resource.kind, object.metadata.name);
        if (isUsed && pod.metadata.namespace === object.metadata.namespace) this.watch(worker.refreshVolumes());
      }
    }
    if (resource !== pods) return;
    // What is under the resource `pods` are pods.
    if (type === 'DELETED') this.forget(object as Pod);
    else this.sync(object as Pod);
  }

  private sync(pod: Pod): void {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    const { phase } = pod.status;
    if (pod.spec.nodeName === undefined) return;
    const worker = this.workers.get(uid);
    if (deletionTimestamp !== undefined) {
      const ending = worker ?? new PodWorker(this.options, pod, '');
      this.workers.set(uid, ending);
      this.watch(ending.terminate(deletionGracePeriodSeconds ?? 0));
      return;
    }
    if (worker !== undefined || phase === 'Succeeded' || phase === 'Failed') return;
    const started = new PodWorker(this.options, pod, this.addressOf(pod));
    this.workers.set(uid, started);
    this.watch(started.run());
  }

  /** A pod that was removed without waiting for its containers. */
  private forget({ metadata }: Pod): void {
    const worker = this.workers.get(metadata.uid);
    this.workers.delete(metadata.uid);
    this.addresses.delete(metadata.uid);
    if (worker !== undefined) this.watch(worker.discard());
  }

  /** An address of 127.88.0.0/16 for a pod: kept where it has one, else one that no other pod here has. */
  private addressOf({ metadata, status }: Pod): string {
    const taken = new Set(this.addresses.values());
    for (let attempt = 0; ; attempt += 1) {
      const [high = 0, low = 0] = createHash('sha256').update(`${metadata.uid}/${attempt}`).digest();
      const fresh = `127.88.${high}.${Math.min(254, Math.max(1, low))}`;
      const address = attempt === 0 ? (status.podIP ?? fresh) : fresh;
      if (taken.has(address)) continue;
      this.addresses.set(metadata.uid, address);
      return address;
    }
  }

  private watch(work: Promise<void>): void {
    const { log } = this.options.context.emulator;
    work.catch((error: unknown) => log.error({ err: error }, 'a pod could not be looked after'));
  }
}
