import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Container, ContainerState, ContainerStatus } from '../objects/pod.js';
import { BackOff } from './back-off.js';
import { ContainerLog, logFile, readLog } from './container-log.js';
import { prepareContainer, type PodEnvironment } from './container-preparation.js';
import { ContainerConfigError } from './environment.js';
import type { PulledImage } from './image-store.js';
import { Prober, type ProbeKind } from './prober.js';
import type { Sandboxed } from './sandbox.js';

/** Lines of the log that a termination message may take from it, as the kubelet does after an error. */
const messageLines = 80;
const messageBytes = 2048;

/** Exit code of a container that could not be started. */
const startErrorCode = 128;

/** One container of a pod through all its runs: pull, start, probe, wait for the end, start again. */
export class ContainerRunner {
  readonly status: ContainerStatus;
  private readonly stopping = new AbortController();
  private readonly crashBackOff: BackOff;
  private readonly pullBackOff: BackOff;
  private child: ChildProcess | undefined;
  private preparing: Promise<Sandboxed> | undefined;

  constructor(
    private readonly environment: PodEnvironment,
    private readonly spec: Container,
    previous: ContainerStatus | undefined,
  ) {
    const { clock } = environment.context.emulator;
    this.crashBackOff = new BackOff(clock);
    this.pullBackOff = new BackOff(clock);
    this.status = {
      name: spec.name,
      image: spec.image,
      imageID: '',
      ready: false,
      started: false,
      // A container that ran before its node was lost counts that as a run.
      restartCount: previous?.containerID === undefined ? 0 : previous.restartCount + 1,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: previous?.containerID === undefined ? {} : lostRun(previous, this.now()),
    };
  }

  /** Runs the container until it is over by the pod's restart policy, or is stopped. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const image = await this.obtainImage();
      if (image === undefined) return;
      const startedAt = this.environment.context.emulator.clock.now();
      const exitCode = await this.runOnce(image);
      const { restartPolicy } = this.environment.pod.spec;
      const isOver = restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0);
      if (signal.aborted || isOver) return;
      this.crashBackOff.resetIfLasted(startedAt);
      this.waitToRestart();
      await this.crashBackOff.wait(signal);
      // What could not be configured has not run.
      const hasRun = this.status.state.waiting?.reason !== 'CreateContainerConfigError';
      if (!signal.aborted && hasRun) this.status.restartCount += 1;
    }
  }

  /** Ends the container: asks its processes, and kills what is left after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    // It writes into the pod's directory, which is removed next.
    await this.preparing?.catch(() => undefined);
    if (this.child !== undefined) await this.environment.context.emulator.processes.stop(this.child, graceMs);
  }

  /** The image, pulled where the policy asks for it; tried again with growing pauses. Undefined when stopped meanwhile. */
  private async obtainImage(): Promise<PulledImage | undefined> {
    const { images } = this.environment;
    const { image, imagePullPolicy } = this.spec;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const present = imagePullPolicy === 'Always' ? undefined : images.present(image);
      if (present !== undefined) {
        this.say('Normal', 'Pulled', `Container image "${image}" already present on machine`);
        return present;
      }
      try {
        this.say('Normal', 'Pulling', `Pulling image "${image}"`);
        const pulled = await images.pull(image);
        this.say('Normal', 'Pulled', `Successfully pulled image "${image}"`);
        return pulled;
      } catch (error) {
        const message = `Failed to pull image "${image}": ${error instanceof Error ? error.message : String(error)}`;
        this.say('Warning', 'Failed', message);
        this.say('Warning', 'Failed', 'Error: ErrImagePull');
        this.setState({ waiting: { reason: 'ErrImagePull', message } });
        const pause = this.pullBackOff.wait(signal);
        this.say('Normal', 'BackOff', `Back-off pulling image "${image}"`);
        this.setState({
          waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${message}` },
        });
        await pause;
      }
    }
    return undefined;
  }

  /** One run of the container, from its start to its end. Returns its exit code. */
  private async runOnce(image: PulledImage): Promise<number> {
    const startedAt = this.now();
    const containerID = `${this.environment.sandbox.isolation}://${randomBytes(32).toString('hex')}`;
    this.status.imageID = image.image;
    try {
      this.preparing = prepareContainer(this.environment, this.spec, image);
      const prepared = await this.preparing;
      if (this.stopping.signal.aborted) return startErrorCode;
      this.status.containerID = containerID;
      return await this.execute(prepared, startedAt);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.say('Warning', 'Failed', `Error: ${message}`);
      const isConfig = error instanceof ContainerConfigError;
      const reason = isConfig ? 'CreateContainerConfigError' : 'RunContainerError';
      this.setState({ waiting: { reason, message } });
      if (!isConfig) {
        const terminated = {
          exitCode: startErrorCode,
          reason: 'StartError',
          message,
          startedAt,
          finishedAt: this.now(),
        };
        this.status.lastState = { terminated };
      }
      return startErrorCode;
    }
  }

  private async execute(prepared: Sandboxed, startedAt: string): Promise<number> {
    const { sandbox, logDirectory, pod } = this.environment;
    const path = logFile(logDirectory, pod.metadata.uid, this.spec.name, this.status.restartCount);
    const log = new ContainerLog(path);
    const child = sandbox.spawn(prepared);
    this.child = child;
    const output = [child.stdout, child.stderr].filter((stream) => stream !== null).map((stream) => log.follow(stream));
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.say('Normal', 'Created', `Created container: ${this.spec.name}`);
    this.say('Normal', 'Started', `Started container ${this.spec.name}`);
    this.setState({ running: { startedAt } });
    const prober = this.startProbing(prepared);
    const { code, signal } = await exited.finally(() => prober.stop());
    await Promise.all(output);
    await log.close();
    this.child = undefined;
    const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    const message = exitCode === 0 ? '' : readLog(path, { tailLines: messageLines }).slice(-messageBytes);
    this.status.ready = false;
    this.status.started = false;
    this.setState({
      terminated: {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        ...(message === '' ? {} : { message }),
        startedAt,
        finishedAt: this.now(),
        ...(this.status.containerID === undefined ? {} : { containerID: this.status.containerID }),
      },
    });
    return exitCode;
  }

  private startProbing(prepared: Sandboxed): Prober {
    const { podIP, sandbox, context } = this.environment;
    const exec = (command: readonly string[], timeoutMs: number) => sandbox.exec({ ...prepared, command }, timeoutMs);
    const prober = new Prober(this.spec, podIP, exec, {
      started: () => {
        this.status.started = true;
        this.environment.changed();
      },
      ready: (ready) => {
        if (this.status.ready === ready) return;
        this.status.ready = ready;
        this.environment.changed();
      },
      failed: (kind: ProbeKind, reason) => this.say('Warning', 'Unhealthy', `${kind} probe failed: ${reason}`),
      unhealthy: (kind: ProbeKind) => {
        const what = `Container ${this.spec.name} failed ${kind.toLowerCase()} probe, will be restarted`;
        this.say('Normal', 'Killing', what);
        const graceMs = this.environment.pod.spec.terminationGracePeriodSeconds * 1000;
        if (this.child !== undefined) void context.emulator.processes.stop(this.child, graceMs);
      },
    });
    prober.start();
    return prober;
  }

  private waitToRestart(): void {
    const { pod } = this.environment;
    const { state } = this.status;
    // What could not be configured is tried again as it is: it has not crashed.
    if (state.waiting?.reason === 'CreateContainerConfigError') return;
    if (state.terminated !== undefined) this.status.lastState = { terminated: state.terminated };
    const who = `container ${this.spec.name} in pod ${pod.metadata.name}`;
    this.say('Warning', 'BackOff', `Back-off restarting failed ${who}`);
    const message = `back-off restarting failed container=${this.spec.name} pod=${pod.metadata.name}`;
    this.setState({ waiting: { reason: 'CrashLoopBackOff', message } });
  }

  private setState(state: ContainerState): void {
    this.status.state = state;
    this.environment.changed();
  }

  private now(): string {
    return this.environment.context.registry.now();
  }

  private say(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { context, pod } = this.environment;
    context.recorder.as('kubelet').record(pod, type, reason, message);
  }
}

/** The last state of a container whose node went away under it. */
function lostRun(previous: ContainerStatus, now: string): ContainerState {
  if (previous.state.running === undefined) return previous.lastState;
  const { startedAt } = previous.state.running;
  return { terminated: { exitCode: 255, reason: 'Unknown', startedAt, finishedAt: now } };
}
