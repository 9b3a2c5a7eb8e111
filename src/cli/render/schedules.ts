import type { Schedule, ScheduledRun } from '../../client.js';
import { signOf, type Colors } from './symbols.js';

/** The sign of each end of a run. */
const STATES = {
  running: 'running',
  deployed: 'done',
  unchanged: 'skipped',
  skipped: 'skipped',
  failed: 'failed',
  cancelled: 'cancelled',
  terminated: 'cancelled',
  forgotten: 'pending',
} as const satisfies Record<ScheduledRun['outcome'], Parameters<typeof signOf>[0]>;

/** Schedules, one after the other: when, what comes next, how the last run ended, and why one is paused. */
export function renderSchedules(schedules: readonly Schedule[], colors: Colors): string[] {
  const width = Math.max(0, ...schedules.map(({ service }) => service.length));
  return schedules.flatMap((schedule) => [
    `${colors.bold(schedule.service.padEnd(width))}  ${schedule.cron}  ${schedule.timezone}  ${counts(schedule)}`,
    ...(schedule.paused ? [colors.yellow(`  paused: ${inShort(schedule.note ?? 'no reason given')}`)] : []),
    ...(schedule.nextRun ? [`  next  ${schedule.nextRun.toISOString()}`] : []),
    ...(schedule.lastRun ? [`  last  ${lastRun(schedule.lastRun, colors)}`] : []),
  ]);
}

function lastRun({ startedAt, endedAt, outcome, detail }: ScheduledRun, colors: Colors): string {
  const said = `${outcome}${detail ? `, ${inShort(detail)}` : ''}`;
  return `${(endedAt ?? startedAt).toISOString()}  ${signOf(STATES[outcome], colors)} ${said}`;
}

function counts({ runs, skipped, missed }: Schedule): string {
  const parts = [
    `${runs} ${runs === 1 ? 'run' : 'runs'}`,
    ...(skipped > 0 ? [`${skipped} skipped, the run before was going on`] : []),
    ...(missed > 0 ? [`${missed} missed, Temporal was away`] : []),
  ];
  return parts.join('; ');
}

/** The first and the last line of a reason: between them may stand a log, which Temporal shows. */
function inShort(text: string): string {
  const lines = text.trim().split(/\s*\n\s*/);
  return lines.length > 1 ? `${lines[0] ?? ''} … ${lines.at(-1) ?? ''}` : text;
}
