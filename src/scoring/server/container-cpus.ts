import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/**
 * CPUs that the container may use: those of its cgroup's quota (version 2, else 1), rounded down to whole ones, and never more
 * than there are. Node itself sees the CPUs of the machine only.
 */
export function containerCpus(cgroups = CGROUPS, machine = availableParallelism()): number {
  const limit = quotaOfV2(cgroups) ?? quotaOfV1(cgroups) ?? machine;
  return Math.max(1, Math.min(Math.floor(limit), machine));
}

/** `cpu.max` is `QUOTA PERIOD` in microseconds, or `max PERIOD` without a limit. */
function quotaOfV2(cgroups: string): number | undefined {
  const [quota, period] = read(join(cgroups, 'cpu.max'))?.split(' ').map(Number) ?? [];
  return quotient(quota, period);
}

/** The quota is -1 without a limit. */
function quotaOfV1(cgroups: string): number | undefined {
  const number = (file: string) => Number(read(join(cgroups, 'cpu', file)) ?? NaN);
  return quotient(number('cpu.cfs_quota_us'), number('cpu.cfs_period_us'));
}

function quotient(quota = NaN, period = NaN): number | undefined {
  return quota > 0 && period > 0 ? quota / period : undefined;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
