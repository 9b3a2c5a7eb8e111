import type { CoreV1Event, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { clipMessage } from '../../deployment/errors.js';
import {
  CONTAINER_SETUP_GRACE_MS,
  LOG_EXCERPT,
  PULL_FAILED_GRACE_MS,
  PULL_REFUSED_GRACE_MS,
  UNREADY_LIMIT_MS,
} from './limits.js';

/**
 * What a pod's status and events say about why it is not ready. What is waited for is said in a few words, for a line that a
 * person watches; a failure says all.
 */
export type PodFinding =
  /** It may still become ready. */
  | { readonly kind: 'waiting'; readonly message: string }
  /** It becomes ready only when someone makes room. */
  | { readonly kind: 'blocked'; readonly code: 'NoRoom'; readonly message: string }
  /** It does not become ready. `log` says which container's log holds the reason. */
  | {
      readonly kind: 'failed';
      readonly code: PodFailure;
      readonly message: string;
      readonly pod: string;
      readonly log?: 'current' | 'previous';
    };

export type PodFailure = 'ImagePullFailed' | 'PodCrashed' | 'ProbeFailed' | 'ContainerNotSetUp';

/** Reasons of a container that cannot be made from its specification. */
const SETUP_REASONS = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'InvalidImageName'];
const PULL_REASONS = ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ImageInspectError'];
/** The registry's status in what a container runtime says, with its name where it is there: `401 Unauthorized`. */
const STATUS = /(?<=\s)[45]\d\d\b(?: [A-Z][A-Za-z ]+)?/;
/** How registries and container runtimes word a refusal. */
const REFUSED = /\b(401|403)\b|unauthori[sz]ed|forbidden|denied|authentication required/i;

/**
 * Why a pod is not ready, in words for a person.
 *
 * @param events the namespace's events; those of other objects are ignored
 * @param since milliseconds since the epoch: when this deployment began to wait. A pod that an earlier one left behind gets
 *   its grace periods again, because what it lacked may be there by now.
 */
export function diagnosePod(pod: V1Pod, events: readonly CoreV1Event[], since: number, now: number): PodFinding {
  const name = pod.metadata?.name ?? 'pod';
  const own = eventsOf(pod, events);
  const began = Math.max(since, (pod.status?.startTime ?? pod.metadata?.creationTimestamp)?.getTime() ?? since);
  const waited = now - began;
  const container = pod.status?.containerStatuses?.[0];
  const reason = container?.state?.waiting?.reason ?? '';

  const unscheduled = pod.status?.conditions?.find((it) => it.type === 'PodScheduled' && it.status === 'False');
  if (unscheduled) {
    const why = unscheduled.message ?? unscheduled.reason ?? 'the scheduler does not say why';
    return { kind: 'blocked', code: 'NoRoom', message: `no node has room for it: ${withoutPreemption(why)}` };
  }
  if (PULL_REASONS.includes(reason)) return pullFinding(name, container, own, waited);
  if (SETUP_REASONS.includes(reason)) return setupFinding(name, container, waited);
  if (container !== undefined && hasCrashed(container)) return crashFinding(name, container, own);
  if (container?.state?.running) return unreadyFinding(name, container, own, since, now);
  return { kind: 'waiting', message: stateOf(pod, own) };
}

/** The finding to report for a release: a failure before a lack of room, and that before a wait. */
export function worstOf(findings: readonly PodFinding[]): PodFinding | undefined {
  const order: PodFinding['kind'][] = ['failed', 'blocked', 'waiting'];
  return [...findings].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))[0];
}

function pullFinding(
  name: string,
  container: V1ContainerStatus | undefined,
  events: readonly CoreV1Event[],
  waited: number,
): PodFinding {
  const waiting = container?.state?.waiting;
  const told = latest(events, (event) => event.reason === 'Failed' && /pull image/i.test(event.message ?? ''));
  const why = told ?? waiting?.message ?? 'no reason given';
  const refused = REFUSED.test(why);
  if (waited > (refused ? PULL_REFUSED_GRACE_MS : PULL_FAILED_GRACE_MS)) {
    const message = `Pod ${name} cannot pull its image: ${clip(why)}`;
    return { kind: 'failed', code: 'ImagePullFailed', pod: name, message };
  }
  const meanwhile = refused ? 'not let into the registry yet' : 'cannot pull the image yet';
  return { kind: 'waiting', message: `${meanwhile} (${STATUS.exec(why)?.[0].trim() ?? clausesOf(why).at(-1) ?? why})` };
}

function setupFinding(name: string, container: V1ContainerStatus | undefined, waited: number): PodFinding {
  const waiting = container?.state?.waiting;
  const what = `cannot set up its container (${waiting?.reason ?? '?'}): ${clip(waiting?.message ?? '')}`;
  return waited > CONTAINER_SETUP_GRACE_MS
    ? { kind: 'failed', code: 'ContainerNotSetUp', pod: name, message: `Pod ${name} ${what}` }
    : { kind: 'waiting', message: what };
}

/** One exit may be bad luck, and the kubelet starts it again; a second one is not. */
function hasCrashed(container: V1ContainerStatus): boolean {
  if (container.state?.waiting?.reason === 'CrashLoopBackOff') return true;
  return container.state?.terminated !== undefined && container.restartCount > 0;
}

function crashFinding(name: string, container: V1ContainerStatus, events: readonly CoreV1Event[]): PodFinding {
  const killedByProbe = latest(events, (event) => event.reason === 'Killing' && /probe/i.test(event.message ?? ''));
  const probe = latest(events, (event) => event.reason === 'Unhealthy');
  if (killedByProbe !== undefined && probe !== undefined) {
    return {
      kind: 'failed',
      code: 'ProbeFailed',
      pod: name,
      message: `Pod ${name} was ended because it did not become healthy: ${clip(probe)}`,
      log: 'previous',
    };
  }
  const exit = container.state?.terminated ?? container.lastState?.terminated;
  const how = exit?.reason === 'OOMKilled' ? 'ran out of memory' : `exited with code ${exit?.exitCode ?? '?'}`;
  const times = container.restartCount > 0 ? `, restarted ${container.restartCount} times` : '';
  const said = exit?.message ? `: ${clip(exit.message)}` : '';
  return {
    kind: 'failed',
    code: 'PodCrashed',
    pod: name,
    message: `Pod ${name} ${how}${times}${said}`,
    log: container.state?.terminated ? 'current' : 'previous',
  };
}

function unreadyFinding(
  name: string,
  container: V1ContainerStatus,
  events: readonly CoreV1Event[],
  since: number,
  now: number,
): PodFinding {
  const started = Math.max(since, container.state?.running?.startedAt?.getTime() ?? since);
  const probe = latest(events, (event) => event.reason === 'Unhealthy');
  if (now - started > UNREADY_LIMIT_MS) {
    const said = probe === undefined ? '' : `: ${clip(probe)}`;
    const message = `Pod ${name} runs but is not ready${said}`;
    return { kind: 'failed', code: 'ProbeFailed', pod: name, message, log: 'current' };
  }
  return { kind: 'waiting', message: `running, not ready yet${probe === undefined ? '' : ` (${brief(probe)})`}` };
}

function stateOf(pod: V1Pod, events: readonly CoreV1Event[]): string {
  const status = pod.status?.containerStatuses?.[0]?.state;
  if (status?.terminated) return `restarting after exit code ${status.terminated.exitCode}`;
  // On which node it is says its name again, and not what it waits for.
  const last = latest(events, ({ reason }) => reason !== 'Scheduled');
  const doing = status?.waiting?.reason ?? pod.status?.phase ?? 'Pending';
  return last === undefined ? doing : `${doing} (${brief(last)})`;
}

function eventsOf(pod: V1Pod, events: readonly CoreV1Event[]): CoreV1Event[] {
  const { uid, name } = pod.metadata ?? {};
  return events.filter(({ involvedObject }) =>
    involvedObject.uid === undefined ? involvedObject.name === name : involvedObject.uid === uid,
  );
}

/** Message of the newest event that matches. */
function latest(events: readonly CoreV1Event[], matches: (event: CoreV1Event) => boolean): string | undefined {
  const found = events.filter(matches).sort((a, b) => timeOf(a) - timeOf(b));
  return found.at(-1)?.message;
}

function timeOf(event: CoreV1Event): number {
  const time = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
  return time?.getTime() ?? event.metadata.creationTimestamp?.getTime() ?? 0;
}

/** The first and the last clause of a chain of causes: what was tried, and why it did not work. */
function brief(text: string): string {
  const clauses = clausesOf(text);
  return [...new Set([clauses[0], clauses.at(-1)])].join(': ');
}

/** The clauses of a chain of causes, without image references: these are as long as the rest. */
function clausesOf(text: string): string[] {
  const bare = text.trim().replace(/\s*"[^"\s]*[/@][^"\s]*"/g, '');
  return clip(bare).split(': ').filter(Boolean);
}

/** The scheduler appends that it would not help to evict other pods. */
function withoutPreemption(text: string): string {
  return clip(text.replace(/\.?\s*preemption:.*$/s, '').replace(/\.$/, ''));
}

function clip(text: string): string {
  return clipMessage(text.trim(), LOG_EXCERPT);
}
