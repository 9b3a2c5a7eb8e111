import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { KubeObject } from '../objects/metadata.js';
import type { Resource } from './resources.js';
import { parseFieldSelector, parseLabelSelector } from './selectors.js';
import { badRequest } from './status.js';

const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .transform((value) => value === 'true' || value === '1')
  .optional();
const count = z.coerce.number().int().min(0).optional();

const querySchema = z.object({
  watch: flag,
  labelSelector: z.string().optional(),
  fieldSelector: z.string().optional(),
  resourceVersion: z.string().optional(),
  timeoutSeconds: count,
  allowWatchBookmarks: flag,
  limit: count,
  continue: z.string().optional(),
  dryRun: z.string().optional(),
  fieldValidation: z.enum(['Ignore', 'Warn', 'Strict']).optional(),
  gracePeriodSeconds: count,
  propagationPolicy: z.enum(['Background', 'Foreground', 'Orphan']).optional(),
  container: z.string().optional(),
  follow: flag,
  previous: flag,
  timestamps: flag,
  tailLines: count,
  limitBytes: count,
  sinceSeconds: count,
  ports: z.coerce.number().int().min(1).max(65535).optional(),
});
export type Query = z.infer<typeof querySchema>;

/**
 * The query parameters that the API understands; others are ignored, as a real API server does.
 * @throws ApiError 400 for a value that is none
 */
export function parseQuery(query: unknown): Query {
  const parsed = querySchema.safeParse(query);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badRequest(`invalid query parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

const pathSchema = z.object({ namespace: z.string().optional(), name: z.string().default('') });

/** Namespace and name of the path, where it has them. */
export function parsePath(request: FastifyRequest): { namespace: string | undefined; name: string } {
  const { namespace, name } = pathSchema.parse(request.params);
  return { namespace, name };
}

const deleteOptionsSchema = z.looseObject({
  gracePeriodSeconds: z.number().int().min(0).nullish(),
  propagationPolicy: z.enum(['Background', 'Foreground', 'Orphan']).nullish(),
  orphanDependents: z.boolean().nullish(),
  preconditions: z.looseObject({ uid: z.string().nullish(), resourceVersion: z.string().nullish() }).nullish(),
  dryRun: z.array(z.string()).nullish(),
});

/** `DeleteOptions` of a body and of the query; the body wins. */
export function parseDeleteOptions(body: unknown, query: Query) {
  const parsed = deleteOptionsSchema.safeParse(body ?? {});
  if (!parsed.success) throw badRequest('the body is no DeleteOptions');
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = parsed.data;
  return {
    gracePeriodSeconds: gracePeriodSeconds ?? query.gracePeriodSeconds,
    propagationPolicy: propagationPolicy ?? query.propagationPolicy,
    preconditions: {
      uid: preconditions?.uid ?? undefined,
      resourceVersion: preconditions?.resourceVersion ?? undefined,
    },
    dryRun: query.dryRun !== undefined || (dryRun ?? []).length > 0,
  };
}

/** The filter that label and field selector of a query make together. */
export function selectorOf(resource: Resource, query: Query): (object: KubeObject) => boolean {
  const byLabel = parseLabelSelector(query.labelSelector);
  const byField = parseFieldSelector(query.fieldSelector, resource.selectableFields);
  return (object) => byLabel(object) && byField(object);
}
