import type { FastifyRequest } from 'fastify';
import type { KubeObject } from '../objects/metadata.js';

/** A column of a table. */
export interface Column<T extends KubeObject> {
  name: string;
  /** 0 is always shown, 1 with `-o wide`. */
  priority?: 0 | 1;
  type?: 'string' | 'integer';
  cell(object: T, now: Date): string | number;
}

/** Whether a client would rather have a table to print than the objects: kubectl does. */
export function wantsTable({ headers, method }: FastifyRequest): boolean {
  const [first = ''] = (headers.accept ?? '').split(',');
  return method === 'GET' && /;as=Table\b/.test(first) && /;v=v1\b/.test(first);
}

/**
 * Objects as a `Table`, which a client prints as it is.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function toTable<T extends KubeObject>(
  columns: readonly Column<T>[],
  objects: readonly T[],
  metadata: unknown,
  now: Date,
): Record<string, unknown> {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type = 'string', priority = 0 }) => ({
      name,
      type,
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

const SECOND = 1;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From how many seconds on an age is told in which units, the longest first: as `HumanDuration` of Kubernetes does. */
const UNITS: readonly [from: number, unit: number, name: string, rest?: [unit: number, name: string]][] = [
  [8 * DAY, DAY, 'd'],
  [2 * DAY, DAY, 'd', [HOUR, 'h']],
  [8 * HOUR, HOUR, 'h'],
  [3 * HOUR, HOUR, 'h', [MINUTE, 'm']],
  [10 * MINUTE, MINUTE, 'm'],
  [2 * MINUTE, MINUTE, 'm', [SECOND, 's']],
  [0, SECOND, 's'],
];

/** How long ago a time is, such as `5m20s`. */
export function ageOf(time: string | undefined, now: Date): string {
  if (time === undefined || time === '') return '<unknown>';
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000));
  for (const [from, unit, name, rest] of UNITS) {
    if (seconds < from) continue;
    const more = rest === undefined ? 0 : Math.floor((seconds % unit) / rest[0]);
    return `${Math.floor(seconds / unit)}${name}${more > 0 ? `${more}${rest?.[1]}` : ''}`;
  }
  return '<unknown>';
}
