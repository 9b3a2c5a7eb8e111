import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterContext } from '../cluster-context.js';
import { pods } from '../api/resources.js';
import { setCondition } from '../controllers/conditions.js';
import type { Pod, PodStatus } from '../objects/pod.js';
import type { PodEnvironment } from './container-preparation.js';
import { ContainerRunner } from './container.js';
import { ContainerConfigError } from './environment.js';
import type { ImageStore } from './image-store.js';
import type { Sandbox } from './sandbox.js';
import { prepareVolumes } from './volumes.js';
import { BackOff } from './back-off.js';

export interface PodWorkerOptions {
  context: ClusterContext;
  images: ImageStore;
  sandbox: Sandbox;
  logDirectory: string;
  /** Directory of all pods of the cluster. */
  podDirectory: string;
}

/** Looks after one pod on its node: volumes, containers, status, and the end of it all. */
export class PodWorker {
  private readonly directory: string;
  private readonly stopping = new AbortController();
  private runners: ContainerRunner[] = [];
  private ending: Promise<void> | undefined;
  private suspended = false;

  constructor(
    private readonly options: PodWorkerOptions,
    private readonly pod: Pod,
    private readonly podIP: string,
  ) {
    this.directory = join(options.podDirectory, pod.metadata.uid);
  }

  /** Runs the pod until its containers are over or it is told to end. */
  async run(): Promise<void> {
    if (!(await this.mountVolumes())) return;
    const environment: PodEnvironment = {
      ...this.options,
      directory: this.directory,
      podIP: this.podIP,
      pod: this.pod,
      changed: () => this.publish(),
    };
    const before = this.pod.status.containerStatuses ?? [];
    this.runners = this.pod.spec.containers.map(
      (spec) =>
        new ContainerRunner(
          environment,
          spec,
          before.find(({ name }) => name === spec.name),
        ),
    );
    this.publish();
    await Promise.all(this.runners.map((runner) => runner.run()));
    this.publish();
  }

  /** Ends the pod as its deletion asks for, and removes it from the API. */
  terminate(graceSeconds: number): Promise<void> {
    this.ending ??= this.end(graceSeconds * 1000).then(() => {
      const { store, registry } = this.options.context;
      const { namespace, name, uid } = this.pod.metadata;
      if (store.get(pods, namespace, name)?.metadata.uid !== uid) return;
      registry.delete(pods, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
    });
    return this.ending;
  }

  /** Kills what is left of a pod that has been removed from the API. */
  async discard(): Promise<void> {
    this.ending ??= this.end(0);
    await Promise.all(this.runners.map((runner) => runner.stop(0)));
    await this.ending;
  }

  /** Stops the pod's processes and leaves everything else for the next start of the emulator. */
  async suspend(graceMs: number): Promise<void> {
    this.stopping.abort();
    this.suspended = true;
    this.ending ??= Promise.resolve();
    await Promise.all(this.runners.map((runner) => runner.stop(graceMs)));
  }

  /** Brings the content of Secret and ConfigMap volumes up to date. */
  async refreshVolumes(): Promise<void> {
    if (!this.stopping.signal.aborted && existsSync(this.volumes)) {
      await prepareVolumes(this.pod, this.volumes, this.options.context.store);
    }
  }

  private async end(graceMs: number): Promise<void> {
    this.stopping.abort();
    if (this.runners.length > 0) this.say('Normal', 'Killing', `Stopping container ${this.containerNames()}`);
    await Promise.all(this.runners.map((runner) => runner.stop(graceMs)));
    // Volumes that are being made may still come to it.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  private get volumes(): string {
    return join(this.directory, 'volumes');
  }

  /** Whether the volumes could be made; one that is missing is waited for. */
  private async mountVolumes(): Promise<boolean> {
    const { context } = this.options;
    const backOff = new BackOff(context.emulator.clock);
    while (!this.stopping.signal.aborted) {
      try {
        await prepareVolumes(this.pod, this.volumes, context.store);
        return true;
      } catch (error) {
        if (!(error instanceof ContainerConfigError)) throw error;
        this.say('Warning', 'FailedMount', `MountVolume.SetUp failed: ${error.message}`);
        await backOff.wait(this.stopping.signal);
      }
    }
    return false;
  }

  private publish(): void {
    // What is stopped with the emulator has not ended: it runs again.
    if (this.suspended) return;
    const { context } = this.options;
    const now = context.registry.now();
    const containerStatuses = this.runners.map(({ status }) => structuredClone(status));
    const notReady = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
    const ready =
      notReady.length === 0
        ? ({ status: 'True' } as const)
        : ({
            status: 'False',
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${notReady.join(' ')}]`,
          } as const);
    context.registry.update(
      pods,
      this.pod,
      ({ status }) => {
        status.phase = this.phase();
        status.hostIP = '127.0.0.1';
        status.podIP = this.podIP;
        status.podIPs = [{ ip: this.podIP }];
        status.startTime ??= now;
        status.containerStatuses = containerStatuses;
        status.conditions = setCondition(status.conditions, { type: 'Initialized', status: 'True' }, now);
        status.conditions = setCondition(status.conditions, { type: 'ContainersReady', ...ready }, now);
        status.conditions = setCondition(status.conditions, { type: 'Ready', ...ready }, now);
      },
      { subresource: 'status' },
    );
  }

  private phase(): PodStatus['phase'] {
    const states = this.runners.map(({ status }) => status);
    const hasRun = states.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated);
    if (!hasRun) return 'Pending';
    const { restartPolicy } = this.pod.spec;
    if (restartPolicy === 'Always' || states.some(({ state }) => state.terminated === undefined)) return 'Running';
    const failed = states.some(({ state }) => state.terminated?.exitCode !== 0);
    if (failed && restartPolicy === 'OnFailure') return 'Running';
    return failed ? 'Failed' : 'Succeeded';
  }

  private containerNames(): string {
    return this.runners.map(({ status }) => status.name).join(', ');
  }

  private say(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.options.context.recorder.as('kubelet').record(this.pod, type, reason, message);
  }
}
