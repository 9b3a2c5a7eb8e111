import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { z } from 'zod';
import type { WorkspacePlace } from '../azure/workspace.js';
import { SlipwayError } from '../deployment/errors.js';
import { identify } from '../deployment/identity.js';
import type { DeployInput } from '../deployment/input.js';
import { findLastDeployment } from '../deployment/last-deployment.js';
import { redeployId, type Identity } from '../deployment/names.js';
import { startingAttributes } from '../deployment/search-attributes.js';
import { REDEPLOY, TASK_QUEUE } from '../deployment/temporal.js';
import { notLive } from './changes.js';
import { ChangeRunning } from './failures.js';
import { CATCHUP_WINDOW } from './limits.js';
import { lookAtRun, type ScheduledRun } from './scheduled-run.js';
import { askTemporal, hasSearchAttributes } from './temporal.js';

/** When a service is redeployed. */
export interface ScheduleTimes {
  /** Five fields (minute, hour, day of month, month, day of week), or one of Temporal's longer and shorter forms. */
  readonly cron: string;
  /** IANA name; default: UTC. */
  readonly timezone?: string;
}

/** The schedule of a service. Counts are Temporal's own. */
export interface Schedule {
  readonly service: string;
  readonly cron: string;
  readonly timezone: string;
  readonly paused: boolean;
  /** Why it is paused. */
  readonly note?: string;
  /** Absent while it is paused for people to look at, and when no time is left. */
  readonly nextRun?: Date;
  readonly lastRun?: ScheduledRun;
  readonly runs: number;
  /** Times that came while the run before was going on. */
  readonly skipped: number;
  /** Times that nobody made up for, because Temporal was away for too long. */
  readonly missed: number;
}

/** What the memo of every run holds; Temporal takes a cron expression apart and gives only the parts back. */
const RunMemo = z.object({ cron: z.string() }).catch({ cron: '?' });

/** The schedules of one workspace's services: each has one at most. */
export class Schedules {
  constructor(
    private readonly temporal: Client,
    private readonly place: () => WorkspacePlace,
  ) {}

  /**
   * Creates the schedule of a service, or gives it other times: a paused one stays paused. A run deploys what the service's
   * newest deployment did, with the latest version of its source model.
   *
   * @throws SlipwayError `NotLive` when nothing of the service is live; `InvalidSchedule`
   */
  async create(service: string, { cron, timezone = 'UTC' }: ScheduleTimes): Promise<Schedule> {
    const identity = this.identify(service);
    const last = await askTemporal(() => findLastDeployment(this.temporal, identity));
    if (last.state !== 'live') throw notLive(service);
    const input = { ...last.input, searchAttributes: await hasSearchAttributes(this.temporal) };
    const options = optionsOf(identity, input, { cron, timezone });
    const scheduleId = redeployId(identity);
    await asking(service, async () => {
      try {
        await this.temporal.schedule.create({ scheduleId, ...options });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        await this.handle(service).update(({ state }) => ({ ...options, state }));
      }
    });
    return this.get(service);
  }

  /** @throws SlipwayError `NoSchedule` */
  async get(service: string): Promise<Schedule> {
    return this.describe(await asking(service, () => this.handle(service).describe()));
  }

  /** The schedules of the workspace, by the names of their services. */
  async list(): Promise<Schedule[]> {
    const prefix = redeployId({ ...this.place(), service: '' });
    const services: string[] = [];
    await askTemporal(async () => {
      for await (const { scheduleId } of this.temporal.schedule.list()) {
        if (scheduleId.startsWith(prefix)) services.push(scheduleId.slice(prefix.length));
      }
    });
    return Promise.all(services.sort().map((service) => this.get(service)));
  }

  /** @throws SlipwayError `NoSchedule` */
  async pause(service: string, reason = 'paused by hand'): Promise<void> {
    await asking(service, () => this.handle(service).pause(reason));
  }

  /** @throws SlipwayError `NoSchedule` */
  async resume(service: string): Promise<void> {
    await asking(service, () => this.handle(service).unpause('resumed by hand'));
  }

  /**
   * Redeploys now, also when the schedule is paused.
   *
   * @throws SlipwayError `NoSchedule`; ChangeRunning when a run of it is going on: Temporal would only count this one as skipped
   */
  async trigger(service: string): Promise<void> {
    const handle = this.handle(service);
    const [running] = (await asking(service, () => handle.describe())).info.runningActions;
    if (running) throw new ChangeRunning(service, running.workflow.workflowId);
    await asking(service, () => handle.trigger(ScheduleOverlapPolicy.SKIP));
  }

  /** Ends a schedule; a run that is going on ends by itself. @throws SlipwayError `NoSchedule` */
  async delete(service: string): Promise<void> {
    await asking(service, () => this.handle(service).delete());
  }

  /** Ends the schedule of a service that may have none. */
  async deleteIfPresent(service: string): Promise<void> {
    await this.delete(service).catch((error: unknown) => {
      if (!(error instanceof SlipwayError) || error.code !== 'NoSchedule') throw error;
    });
  }

  private async describe({ scheduleId, action, spec, state, info }: ScheduleDescription): Promise<Schedule> {
    const last = info.recentActions.at(-1);
    const nextRun = info.nextActionTimes[0];
    return {
      service: scheduleId.slice(scheduleId.lastIndexOf('/') + 1),
      cron: RunMemo.parse(action.memo).cron,
      timezone: spec.timezone ?? 'UTC',
      paused: state.paused,
      ...(state.paused && state.note ? { note: state.note } : {}),
      ...(nextRun && !state.paused ? { nextRun } : {}),
      ...(last ? { lastRun: await lookAtRun(this.temporal, last) } : {}),
      runs: info.numActionsTaken,
      skipped: info.numActionsSkippedOverlap,
      missed: info.numActionsMissedCatchupWindow,
    };
  }

  private handle(service: string): ScheduleHandle {
    return this.temporal.schedule.getHandle(redeployId(this.identify(service)));
  }

  private identify(service: string): Identity {
    return identify({ ...this.place(), service });
  }
}

function optionsOf(
  identity: Identity,
  input: DeployInput,
  { cron, timezone }: Required<ScheduleTimes>,
): Omit<ScheduleUpdateOptions, 'state'> {
  const { service, workspaceName } = identity;
  return {
    spec: { cronExpressions: [cron], timezone },
    action: {
      type: 'startWorkflow',
      workflowType: REDEPLOY,
      workflowId: redeployId(identity),
      taskQueue: TASK_QUEUE,
      args: [input],
      memo: { service, cron },
      staticSummary: `Redeploy ${service} to ${workspaceName} if its source model has a new version`,
      ...(input.searchAttributes ? { typedSearchAttributes: startingAttributes(service) } : {}),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW, pauseOnFailure: true },
  };
}

/**
 * Asks Temporal about a schedule.
 *
 * @throws SlipwayError `NoSchedule`, `InvalidSchedule`, `TemporalUnreachable`
 */
async function asking<T>(service: string, question: () => Promise<T>): Promise<T> {
  try {
    return await askTemporal(question);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) {
      throw new SlipwayError('NoSchedule', `${service} has no schedule`, {
        fix: `Create one: slipway schedule create ${service} --cron '0 3 * * *'`,
      });
    }
    // What the SDK makes of a specification that the server refuses.
    if (!(error instanceof TypeError)) throw error;
    throw new SlipwayError('InvalidSchedule', `Temporal refuses these times: ${error.message}`, {
      fix: 'A cron expression has five fields (minute hour day month weekday), a time zone an IANA name such as Europe/Berlin.',
      cause: error,
    });
  }
}
