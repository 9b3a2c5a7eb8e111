import { createHttpHeaders, createPipelineRequest, RestError, type PipelineResponse } from '@azure/core-rest-pipeline';
import { z } from 'zod';
import type { AzureConnection } from './connection.js';

/** Where a resource is, and in which version of its shape it is spoken of. */
export interface ResourceCall {
  readonly subscriptionId: string;
  /** ARM id of the resource, or of a list of resources. */
  readonly id: string;
  readonly apiVersion: string;
}

/**
 * Sends a resource as it is written, for bodies of which the SDK drops parts.
 *
 * @throws RestError as the SDK would
 */
export async function putResource(
  azure: AzureConnection,
  call: ResourceCall,
  body: unknown,
  abortSignal: AbortSignal,
): Promise<void> {
  await send(azure, call, { method: 'PUT', url: urlOf(azure, call), body: JSON.stringify(body), abortSignal });
}

/**
 * Reads a resource for which there is no SDK here.
 *
 * @throws RestError as an SDK would
 */
export async function getResource(
  azure: AzureConnection,
  call: ResourceCall,
  abortSignal: AbortSignal,
): Promise<unknown> {
  const { bodyAsText } = await send(azure, call, { method: 'GET', url: urlOf(azure, call), abortSignal });
  return JSON.parse(bodyAsText ?? 'null');
}

const Page = z.object({ value: z.array(z.unknown()), nextLink: z.string().nullish() });

/**
 * Reads a list of resources, over all its pages.
 *
 * @throws RestError as an SDK would
 */
export async function listResources(
  azure: AzureConnection,
  call: ResourceCall,
  abortSignal: AbortSignal,
): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let url: string | null | undefined = urlOf(azure, call); url;) {
    const { bodyAsText }: PipelineResponse = await send(azure, call, { method: 'GET', url, abortSignal });
    const page = Page.parse(JSON.parse(bodyAsText ?? 'null'));
    items.push(...page.value);
    url = page.nextLink;
  }
  return items;
}

function urlOf({ arm }: AzureConnection, { id, apiVersion }: ResourceCall): string {
  return `${arm}${id}?api-version=${apiVersion}`;
}

/** Goes through a client's own pipeline: sign-in, CA and user agent are those of all other calls. */
async function send(
  azure: AzureConnection,
  { subscriptionId, id }: ResourceCall,
  { body, ...rest }: { method: 'GET' | 'PUT'; url: string; body?: string; abortSignal: AbortSignal },
): Promise<PipelineResponse> {
  const headers = { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) };
  const request = createPipelineRequest({
    ...rest,
    headers: createHttpHeaders(headers),
    ...(body !== undefined && { body }),
  });
  const response = await azure.machineLearning(subscriptionId).sendRequest(request);
  if (response.status < 400) return response;
  throw new RestError(response.bodyAsText ?? `${rest.method} ${id} was answered with ${response.status}`, {
    statusCode: response.status,
    request,
    response,
  });
}
