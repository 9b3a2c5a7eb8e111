/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
}

/** What stands where there is no value. */
const NOTHING = '–';
const GAP = '  ';

/**
 * A table for people, as wide as it needs to be: a line of titles, one for each row, and below it what is too long for a
 * column, with its name.
 *
 * @param details of a row; those without a value are left out
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  details: (row: Row) => Readonly<Record<string, string | undefined>> = () => ({}),
): string[] {
  const lines = rows.map((row) => columns.map(({ value }) => String(value(row) ?? NOTHING)));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...lines.map((cells) => cells[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  const titles = line(columns.map(({ title }) => title.toUpperCase()));
  return [titles, ...rows.flatMap((row, at) => [line(lines[at] ?? []), ...renderDetails(details(row))])];
}

/** Names and values below each other, indented. Those without a value are left out. */
export function renderDetails(details: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.entries(details).filter((detail): detail is [string, string] => detail[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${GAP}${name.padEnd(width)}${GAP}${value}`);
}

/** A time in UTC: `2026-11-23 10:39:43Z`. */
export function time(date: Date | string): string {
  return `${new Date(date).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** A size: `812 B`, `14.2 MB`. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** The last part of an ARM id: the resource's name. */
export function resourceName(id: string | undefined): string | undefined {
  return id?.split('/').at(-1);
}
