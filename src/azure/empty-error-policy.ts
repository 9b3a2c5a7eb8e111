import { RestError, type PipelinePolicy } from '@azure/core-rest-pipeline';

/**
 * Throws what was answered without a body itself: some clients read the body of every error, and lose status and headers of
 * one that has none, as a gateway's 503.
 */
export const emptyErrorPolicy: PipelinePolicy = {
  name: 'emptyErrorPolicy',
  async sendRequest(request, next) {
    const response = await next(request);
    if (response.status < 400 || response.bodyAsText) return response;
    throw new RestError(`${request.method} was answered with ${response.status} and nothing else`, {
      statusCode: response.status,
      request,
      response,
    });
  },
};
