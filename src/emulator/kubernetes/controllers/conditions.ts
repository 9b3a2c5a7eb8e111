import type { Condition } from '../objects/metadata.js';

/** Sets one condition of a list; its transition time moves only when its status does. */
export function setCondition(
  conditions: Condition[] | undefined,
  next: { type: string; status: 'True' | 'False'; reason?: string; message?: string },
  now: string,
): Condition[] {
  const list = conditions ?? [];
  const present = list.find(({ type }) => type === next.type);
  const moved = present?.status !== next.status;
  const condition: Condition = { ...next, lastTransitionTime: moved ? now : (present.lastTransitionTime ?? now) };
  return present === undefined ? [...list, condition] : list.map((other) => (other === present ? condition : other));
}

/** Whether a condition of that type is True. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.find((condition) => condition.type === type)?.status === 'True';
}
