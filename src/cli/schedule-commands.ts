import type { Command } from 'commander';
import type { CreateScheduleOptions, PauseScheduleOptions, ScheduleOptions } from './commands/schedule.js';
import { workspaceCommand, type Act } from './act.js';

/** `slipway schedule …` */
export function addScheduleCommands(program: Command, act: Act): void {
  const group = program
    .command('schedule')
    .description('redeploy services at given times, when their models have changed');
  const command = (usage: string, description: string): Command => workspaceCommand(group, usage, description);
  const load = () => import('./commands/schedule.js');

  command('create <service>', 'redeploy a live service at given times; an existing schedule gets the new times')
    .requiredOption(
      '--cron <expression>',
      'minute, hour, day of month, month, weekday: "0 3 * * *" is every night at three',
    )
    .option('--timezone <name>', 'IANA name of the time zone that the times are in (default: UTC)')
    .option('--json', 'print the schedule as one JSON object')
    .action((service: string, options: CreateScheduleOptions) =>
      act(async (terminal) => (await load()).createSchedule(service, options, terminal)),
    );
  command('list', 'the schedules of the workspace: next run, and how the last one ended')
    .option('--json', 'print them as one JSON array')
    .action((options: ScheduleOptions) => act(async (terminal) => (await load()).listSchedules(options, terminal)));
  command('pause <service>', 'begin no run until it is resumed')
    .option('--reason <text>', 'why, for those who look at the list')
    .option('--json', 'print the schedule as one JSON object')
    .action((service: string, options: PauseScheduleOptions) =>
      act(async (terminal) => (await load()).pauseSchedule(service, options, terminal)),
    );
  command('resume <service>', 'go on after a pause')
    .option('--json', 'print the schedule as one JSON object')
    .action((service: string, options: ScheduleOptions) =>
      act(async (terminal) => (await load()).resumeSchedule(service, options, terminal)),
    );
  command('trigger <service>', 'redeploy now, also while the schedule is paused').action(
    (service: string, options: ScheduleOptions) =>
      act(async (terminal) => (await load()).triggerSchedule(service, options, terminal)),
  );
  command('delete <service>', 'end the schedule; the service stays').action(
    (service: string, options: ScheduleOptions) =>
      act(async (terminal) => (await load()).deleteSchedule(service, options, terminal)),
  );
}
