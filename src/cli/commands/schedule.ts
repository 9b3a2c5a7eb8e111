import type { Schedule, SlipwayClient } from '../../client.js';
import { EXIT } from '../exit-codes.js';
import { renderSchedules } from '../render/schedules.js';
import { print, type Terminal } from '../render/terminal.js';
import { openSession } from '../session.js';

export interface ScheduleOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface CreateScheduleOptions extends ScheduleOptions {
  readonly cron: string;
  readonly timezone?: string;
}

export interface PauseScheduleOptions extends ScheduleOptions {
  readonly reason?: string;
}

type Schedules = SlipwayClient['schedules'];

/** `slipway schedule create SERVICE --cron …` */
export function createSchedule(service: string, options: CreateScheduleOptions, terminal: Terminal): Promise<number> {
  const { cron, timezone } = options;
  return withSchedules(options, async (schedules) =>
    show(await schedules.create(service, { cron, ...(timezone ? { timezone } : {}) }), options, terminal),
  );
}

/** `slipway schedule list` */
export function listSchedules(options: ScheduleOptions, { dataColors, say }: Terminal): Promise<number> {
  return withSchedules(options, async (schedules) => {
    const all = await schedules.list();
    if (options.json) print(JSON.stringify(all));
    else for (const line of renderSchedules(all, dataColors)) print(line);
    if (all.length === 0) say('No service has a schedule');
  });
}

/** `slipway schedule pause SERVICE` */
export function pauseSchedule(service: string, options: PauseScheduleOptions, terminal: Terminal): Promise<number> {
  return withSchedules(options, async (schedules) => {
    await schedules.pause(service, options.reason);
    show(await schedules.get(service), options, terminal);
  });
}

/** `slipway schedule resume SERVICE` */
export function resumeSchedule(service: string, options: ScheduleOptions, terminal: Terminal): Promise<number> {
  return withSchedules(options, async (schedules) => {
    await schedules.resume(service);
    show(await schedules.get(service), options, terminal);
  });
}

/** `slipway schedule trigger SERVICE` */
export function triggerSchedule(service: string, options: ScheduleOptions, { say }: Terminal): Promise<number> {
  return withSchedules(options, async (schedules) => {
    await schedules.trigger(service);
    say(`A redeploy of ${service} has been asked for`);
    say(`  watch it:       slipway watch ${service}`);
    say('  how it ended:   slipway schedule list');
  });
}

/** `slipway schedule delete SERVICE` */
export function deleteSchedule(service: string, options: ScheduleOptions, { say }: Terminal): Promise<number> {
  return withSchedules(options, async (schedules) => {
    await schedules.delete(service);
    say(`${service} has no schedule any more`);
  });
}

function show(schedule: Schedule, { json }: ScheduleOptions, { dataColors }: Terminal): void {
  if (json) print(JSON.stringify(schedule));
  else for (const line of renderSchedules([schedule], dataColors)) print(line);
}

async function withSchedules(options: ScheduleOptions, run: (schedules: Schedules) => Promise<void>): Promise<number> {
  const { client } = await openSession(options);
  try {
    await run(client.schedules);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}
