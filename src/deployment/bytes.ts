/** Decimal units, as the speeds of lines have them. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** An amount of data for people: `0 B`, `820 kB`, `4.1 MB`, `93 MB`. */
export function spokenBytes(bytes: number): string {
  const power = powerOf(bytes);
  return `${inUnit(bytes, power)} ${UNITS[power] ?? ''}`;
}

/** How much of a whole is done, both in the whole's unit: `12 of 93 MB`, `0.4 of 4.1 GB`. */
export function spokenShare(done: number, total: number): string {
  const power = powerOf(total);
  return `${inUnit(Math.min(done, total), power)} of ${inUnit(total, power)} ${UNITS[power] ?? ''}`;
}

function powerOf(bytes: number): number {
  // What would be shown as 1000 of a unit is one of the next.
  const power = UNITS.findIndex((_, index) => bytes / 1000 ** index < 999.5);
  return power < 0 ? UNITS.length - 1 : power;
}

/** Two digits at least, where there is something and the unit is not bytes. */
function inUnit(bytes: number, power: number): string {
  const value = bytes / 1000 ** power;
  return value.toFixed(power === 0 || value === 0 || value >= 9.95 ? 0 : 1);
}
