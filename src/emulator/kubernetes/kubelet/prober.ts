import type { Container, Probe } from '../objects/pod.js';
import { runProbe, type Exec } from './probe.js';

/** What probes say about a running container. */
export interface ProbeListener {
  started(): void;
  ready(ready: boolean): void;
  /** A probe failed often enough that the container has to be started again. */
  unhealthy(kind: ProbeKind, reason: string): void;
  /** One failure, for the pod's events. */
  failed(kind: ProbeKind, reason: string): void;
}

export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness';

/** Probes one run of a container: startup first, then readiness and liveness, each at its period. */
export class Prober {
  private readonly timers = new Set<NodeJS.Timeout>();
  private stopped = false;

  constructor(
    private readonly container: Container,
    private readonly podIP: string,
    private readonly exec: Exec,
    private readonly listener: ProbeListener,
  ) {}

  start(): void {
    const { startupProbe } = this.container;
    if (startupProbe === undefined) {
      this.afterStartup();
      return;
    }
    this.repeat('Startup', startupProbe, (ok) => {
      if (!ok) return true;
      this.afterStartup();
      return false;
    });
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private afterStartup(): void {
    const { readinessProbe, livenessProbe } = this.container;
    this.listener.started();
    if (readinessProbe === undefined) this.listener.ready(true);
    else {
      this.repeat('Readiness', readinessProbe, (ok) => {
        this.listener.ready(ok);
        return true;
      });
    }
    if (livenessProbe !== undefined) this.repeat('Liveness', livenessProbe, () => true);
  }

  /** Runs a probe at its period; `decided` hears each time a threshold is reached and says whether to go on. */
  private repeat(kind: ProbeKind, probe: Probe, decided: (ok: boolean) => boolean): void {
    let successes = 0;
    let failures = 0;
    const look = async (): Promise<void> => {
      const result = await runProbe(probe, this.container, this.podIP, this.exec);
      if (this.stopped) return;
      let goOn = true;
      if (result.ok) {
        failures = 0;
        successes += 1;
        if (successes >= probe.successThreshold) goOn = decided(true);
      } else {
        successes = 0;
        failures += 1;
        this.listener.failed(kind, result.reason);
        if (failures >= probe.failureThreshold) {
          goOn = decided(false);
          if (kind !== 'Readiness') {
            this.listener.unhealthy(kind, result.reason);
            goOn = false;
          }
        }
      }
      if (goOn) this.later(probe.periodSeconds * 1000, look);
    };
    this.later((probe.initialDelaySeconds ?? 0) * 1000, look);
  }

  private later(delayMs: number, look: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      look().catch((error: unknown) => this.listener.failed('Liveness', String(error)));
    }, delayMs);
    this.timers.add(timer);
  }
}
