/**
 * The name that a misspelt one most likely stands for; case counts for nothing.
 *
 * @returns undefined when none is near: at most every third character may differ
 */
export function closest(name: string, names: readonly string[]): string | undefined {
  const [best] = byDistance(name, names);
  return best && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.each : undefined;
}

/** The names that are written most like a given one, the likest first, however far they are. */
export function likest(name: string, names: readonly string[], count: number): string[] {
  return byDistance(name, names)
    .slice(0, count)
    .map(({ each }) => each);
}

function byDistance(name: string, names: readonly string[]): { each: string; distance: number }[] {
  const wanted = name.toLowerCase();
  return names
    .map((each) => ({ each, distance: editDistance(wanted, each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
}

/** Insertions, deletions and replacements of one character, and swaps of two neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
