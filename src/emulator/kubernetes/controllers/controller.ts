import type { ClusterContext } from '../cluster-context.js';
import type { StoreEvent } from '../api/store.js';
import { reconcileRetryMs } from '../limits.js';
import type { KubeObject } from '../objects/metadata.js';

/** What a controller does: which objects a change concerns, and how one of them is brought to its desired state. */
export interface Reconciler {
  readonly name: string;
  /** Keys of all objects that it looks after, reconciled once at the start. */
  all(): string[];
  /** Keys of the objects that a change concerns. */
  concernedBy(event: StoreEvent): string[];
  /** Brings one object closer to its desired state; called again after every change that concerns it. */
  reconcile(key: string): void | Promise<void>;
}

/** Key of an object in a controller's queue. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Namespace and name of a key. */
export function splitKey(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** A running controller: a queue of keys without repetition, worked off one at a time. */
export class Controller {
  private readonly queue = new Set<string>();
  private readonly delayed = new Map<string, NodeJS.Timeout>();
  private readonly unsubscribe: () => void;
  private working: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly context: ClusterContext,
    private readonly reconciler: Reconciler,
  ) {
    this.unsubscribe = context.store.subscribe((event) => {
      for (const key of reconciler.concernedBy(event)) this.enqueue(key);
    });
    for (const key of reconciler.all()) this.enqueue(key);
  }

  enqueue(key: string): void {
    if (this.stopped) return;
    this.queue.add(key);
    this.working ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.work());
  }

  /** Looks at an object again later, unless a change makes it sooner. The last call for a key stands. */
  enqueueAfter(key: string, delayMs: number): void {
    clearTimeout(this.delayed.get(key));
    if (this.stopped) return;
    const timer = setTimeout(() => {
      this.delayed.delete(key);
      this.enqueue(key);
    }, delayMs);
    this.delayed.set(key, timer);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    this.queue.clear();
    for (const timer of this.delayed.values()) clearTimeout(timer);
    await this.working;
  }

  private async work(): Promise<void> {
    for (const key of this.queue) {
      this.queue.delete(key);
      if (this.stopped) break;
      try {
        await this.reconciler.reconcile(key);
      } catch (error) {
        this.context.emulator.log.warn({ err: error, key, controller: this.reconciler.name }, 'reconciliation failed');
        this.enqueueAfter(key, reconcileRetryMs);
      }
    }
    this.working = undefined;
  }
}
