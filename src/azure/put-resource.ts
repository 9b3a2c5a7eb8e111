import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import type { AzureConnection } from './connection.js';

/**
 * Sends a Machine Learning resource as it is written, for bodies of which the SDK drops parts. It goes through the client's
 * own pipeline: sign-in, CA and user agent are the same.
 *
 * @param id ARM id of the resource
 * @throws RestError as the SDK would
 */
export async function putResource(
  azure: AzureConnection,
  { subscriptionId, id, apiVersion }: { subscriptionId: string; id: string; apiVersion: string },
  body: unknown,
  abortSignal: AbortSignal,
): Promise<void> {
  const client = azure.machineLearning(subscriptionId);
  const request = createPipelineRequest({
    method: 'PUT',
    url: `${azure.arm}${id}?api-version=${apiVersion}`,
    headers: createHttpHeaders({ 'content-type': 'application/json', accept: 'application/json' }),
    body: JSON.stringify(body),
    abortSignal,
  });
  const response = await client.sendRequest(request);
  if (response.status < 400) return;
  throw new RestError(response.bodyAsText ?? `PUT ${id} was answered with ${response.status}`, {
    statusCode: response.status,
    request,
    response,
  });
}
