const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * Reads a Kubernetes quantity (`250m`, `1.5`, `2Gi`) as a number of its base unit: cores or bytes.
 * @returns undefined where the text is no quantity
 */
export function parseQuantity(quantity: string | number): number | undefined {
  const match = /^([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)([numkMGT]|[KMGT]i)?$/.exec(String(quantity));
  if (match?.[1] === undefined) return undefined;
  const factor = suffixes[match[2] ?? ''];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}
