import type { CoreV1Event, V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import {
  CONTAINER_SETUP_GRACE_MS,
  PULL_FAILED_GRACE_MS,
  PULL_REFUSED_GRACE_MS,
  UNREADY_LIMIT_MS,
} from '../../src/azure/kubernetes/limits.js';
import { diagnosePod, worstOf, type PodFinding } from '../../src/azure/kubernetes/pod-diagnosis.js';

const SINCE = Date.parse('2026-01-01T00:00:00Z');
const UNAUTHORIZED = 'Failed to pull image "acr.example/x": 401 Unauthorized';
const NOT_FOUND = 'Failed to pull image "acr.example/x": manifest unknown';

function pod(state: V1ContainerState, more: Partial<V1ContainerStatus> = {}): V1Pod {
  const container = { name: 'scoring', image: 'x', imageID: '', ready: false, restartCount: 0, state, ...more };
  return {
    metadata: { name: 'pets-1', uid: 'u1' },
    status: { phase: 'Pending', startTime: new Date(SINCE), containerStatuses: [container] },
  };
}

function event(reason: string, message: string, minute = 0, uid = 'u1'): CoreV1Event {
  const lastTimestamp = new Date(SINCE + minute * 60_000);
  return { metadata: {}, involvedObject: { kind: 'Pod', name: 'pets-1', uid }, reason, message, lastTimestamp };
}

const waiting = (reason: string, message = '') => ({ waiting: { reason, message } });
const exited = (exitCode: number, reason = 'Error') => ({ terminated: { exitCode, reason } });
const running = { running: { startedAt: new Date(SINCE) } };

interface Case {
  name: string;
  pod: V1Pod;
  events?: CoreV1Event[];
  /** Milliseconds since the wait began. */
  after?: number;
  expected: { kind: PodFinding['kind']; code?: string; log?: string; message?: unknown };
}

const cases: Case[] = [
  {
    name: 'a pull that the registry refuses waits for the role assignment',
    pod: pod(waiting('ErrImagePull', 'failed')),
    events: [event('Failed', UNAUTHORIZED)],
    after: PULL_REFUSED_GRACE_MS - 1,
    expected: { kind: 'waiting', message: expect.stringContaining('401 Unauthorized') },
  },
  {
    name: 'a pull that is still refused after the grace period has failed',
    pod: pod(waiting('ImagePullBackOff', 'Back-off pulling image')),
    events: [event('Failed', UNAUTHORIZED), event('BackOff', 'Back-off pulling image', 1)],
    after: PULL_REFUSED_GRACE_MS + 1,
    expected: { kind: 'failed', code: 'ImagePullFailed', message: expect.stringContaining('401 Unauthorized') },
  },
  {
    name: 'an image that is not there fails sooner than a refusal',
    pod: pod(waiting('ImagePullBackOff')),
    events: [event('Failed', NOT_FOUND)],
    after: PULL_FAILED_GRACE_MS + 1,
    expected: { kind: 'failed', code: 'ImagePullFailed', message: expect.stringContaining('manifest unknown') },
  },
  {
    name: 'without events, the waiting message says why a pull fails',
    pod: pod(waiting('ErrImagePull', 'no such host')),
    expected: { kind: 'waiting', message: expect.stringContaining('no such host') },
  },
  {
    name: 'the first exit may be bad luck',
    pod: pod(exited(1)),
    expected: { kind: 'waiting', message: expect.stringContaining('exit code 1') },
  },
  {
    name: 'a second exit is a crash, with the log of the container that just ended',
    pod: pod(exited(3), { restartCount: 1 }),
    expected: { kind: 'failed', code: 'PodCrashed', log: 'current', message: expect.stringContaining('code 3') },
  },
  {
    name: 'a back-off after crashes is a crash, with the log of the container before',
    pod: pod(waiting('CrashLoopBackOff'), { restartCount: 2, lastState: exited(137, 'OOMKilled') }),
    expected: {
      kind: 'failed',
      code: 'PodCrashed',
      log: 'previous',
      message: expect.stringContaining('out of memory'),
    },
  },
  {
    name: 'a container that its probe ended is a failed probe, not a crash',
    pod: pod(waiting('CrashLoopBackOff'), { restartCount: 1, lastState: exited(137) }),
    events: [
      event('Unhealthy', 'Startup probe failed: HTTP probe failed with statuscode: 503'),
      event('Killing', 'Container scoring failed startup probe, will be restarted'),
    ],
    expected: { kind: 'failed', code: 'ProbeFailed', message: expect.stringContaining('503') },
  },
  {
    name: 'a container that runs and is not ready yet is waited for, with what its probe says',
    pod: pod(running),
    events: [event('Unhealthy', 'Readiness probe failed: 503')],
    expected: { kind: 'waiting', message: expect.stringContaining('Readiness probe failed: 503') },
  },
  {
    name: 'a container that stays unready has failed its probe',
    pod: pod(running),
    after: UNREADY_LIMIT_MS + 1,
    expected: { kind: 'failed', code: 'ProbeFailed', log: 'current' },
  },
  {
    name: 'a container whose Secret is missing is given a moment',
    pod: pod(waiting('CreateContainerConfigError', 'secret "x" not found')),
    expected: { kind: 'waiting', message: expect.stringContaining('secret "x" not found') },
  },
  {
    name: 'a container whose Secret stays missing cannot be set up',
    pod: pod(waiting('CreateContainerConfigError', 'secret "x" not found')),
    after: CONTAINER_SETUP_GRACE_MS + 1,
    expected: { kind: 'failed', code: 'ContainerNotSetUp', message: expect.stringContaining('secret "x" not found') },
  },
  {
    name: 'a pod that no node takes waits for room',
    pod: {
      metadata: { name: 'pets-1', uid: 'u1' },
      status: {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes.',
          },
        ],
      },
    },
    expected: { kind: 'blocked', code: 'NoRoom', message: expect.stringMatching(/: 1 Insufficient cpu$/) },
  },
  {
    name: 'a pod that is pulling says so',
    pod: pod(waiting('ContainerCreating')),
    events: [event('Pulling', 'Pulling image "x"')],
    expected: { kind: 'waiting', message: expect.stringContaining('Pulling image "x"') },
  },
  {
    name: 'events of other pods say nothing about it',
    pod: pod(waiting('ErrImagePull', 'own reason')),
    events: [event('Failed', UNAUTHORIZED, 0, 'u2')],
    expected: { kind: 'waiting', message: expect.stringContaining('own reason') },
  },
];

describe('the diagnosis of a pod', () => {
  it.each(cases)('$name', ({ pod, events = [], after = 1000, expected }) => {
    expect(diagnosePod(pod, events, SINCE, SINCE + after)).toMatchObject(expected);
  });

  const image =
    '"acr.example/slipway/0a1b2c3d4e5f@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"';
  it.each([
    [
      waiting('ErrImagePull'),
      event(
        'Failed',
        `Failed to pull image ${image}: failed to pull and unpack image ${image}: failed to authorize: 401 Unauthorized`,
      ),
      'not let into the registry yet (401 Unauthorized)',
    ],
    [
      waiting('ErrImagePull'),
      event(
        'Failed',
        `Failed to pull image ${image}: HEAD https://acr.example/v2/: 401 {"errors":[{"code":"UNAUTHORIZED"}]}`,
      ),
      'not let into the registry yet (401)',
    ],
    [
      waiting('ImagePullBackOff', `Back-off pulling image ${image}`),
      undefined,
      'cannot pull the image yet (Back-off pulling image)',
    ],
    [waiting('ContainerCreating'), event('Pulling', `Pulling image ${image}`), 'ContainerCreating (Pulling image)'],
    [
      running,
      event('Unhealthy', 'Startup probe failed: Get "http://10.0.0.7:8501/readyz": dial tcp: connection refused'),
      'running, not ready yet (Startup probe failed: connection refused)',
    ],
  ])('says what is waited for in a few words: %#', (state, why, expected) => {
    const finding = diagnosePod(pod(state), why ? [why] : [], SINCE, SINCE + 1000);
    expect(finding).toEqual({ kind: 'waiting', message: expected });
  });

  it('gives a pod that an earlier deployment left its grace period again', () => {
    const old = pod(waiting('ImagePullBackOff'));
    const hours = 3_600_000;
    const since = SINCE + hours;
    expect(diagnosePod(old, [event('Failed', UNAUTHORIZED)], since, since + 1000).kind).toBe('waiting');
  });

  it('keeps a long reason short enough for a failure, and its end', () => {
    const finding = diagnosePod(pod(waiting('ErrImagePull', 'x'.repeat(5000) + 'the end')), [], SINCE, SINCE + 1);
    expect(finding.message.length).toBeLessThan(2048);
    expect(finding.message).toContain('the end');
  });

  it('reports of several pods the one that is worst off', () => {
    const wait: PodFinding = { kind: 'waiting', message: 'w' };
    const blocked: PodFinding = { kind: 'blocked', code: 'NoRoom', message: 'b' };
    const failed: PodFinding = { kind: 'failed', code: 'PodCrashed', pod: 'p', message: 'f' };
    expect(worstOf([wait, failed, blocked])).toBe(failed);
    expect(worstOf([wait, blocked])).toBe(blocked);
    expect(worstOf([])).toBeUndefined();
  });
});
