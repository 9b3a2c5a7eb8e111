import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import type { Registry } from '../api/registry.js';
import { events } from '../api/resources.js';
import { eventLifetimeMs } from '../limits.js';
import type { KubeObject } from '../objects/metadata.js';

/** Writes Events. The same thing said again about the same object counts up instead of adding one. */
export class EventRecorder {
  constructor(
    private readonly registry: Registry,
    private readonly clock: Clock,
    private readonly component: string,
  ) {}

  /** A recorder that speaks as another component. */
  as(component: string): EventRecorder {
    return new EventRecorder(this.registry, this.clock, component);
  }

  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name, uid, namespace = 'default' } = object.metadata;
    const same = createHash('sha256')
      .update([uid, reason, message, this.component].join('\0'))
      .digest('hex')
      .slice(0, 16);
    const eventName = `${name}.${same}`;
    const now = this.registry.now();
    const known = this.registry.store.get(events, namespace, eventName);
    if (known !== undefined) {
      this.registry.update(events, known, (event) => {
        event.count = (event.count ?? 1) + 1;
        event.lastTimestamp = now;
      });
      return;
    }
    this.forgetOld();
    // A namespace that is going takes no new objects, and its events interest nobody.
    if (!this.registry.accepts(namespace)) return;
    this.registry.create(events, namespace, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace,
        name,
        uid,
        resourceVersion: object.metadata.resourceVersion,
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: this.component },
      reportingComponent: this.component,
    });
  }

  private forgetOld(): void {
    const { store } = this.registry;
    const oldest = this.clock.now().getTime() - eventLifetimeMs;
    for (const event of store.list(events)) {
      if (Date.parse(event.lastTimestamp ?? event.metadata.creationTimestamp) < oldest) store.remove(events, event);
    }
  }
}
