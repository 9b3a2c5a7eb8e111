import { RestError, type PipelinePolicy } from '@azure/core-rest-pipeline';

/**
 * Throws what was answered as an error itself, with status, headers and body. Some clients read the body of every error and
 * lose status and headers of one that has none, as a gateway's 503; the lists of others keep the code of an error and lose
 * its message, which is what names the action and scope of a missing permission.
 */
export const errorAnswerPolicy: PipelinePolicy = {
  name: 'errorAnswerPolicy',
  async sendRequest(request, next) {
    const response = await next(request);
    if (response.status < 400) return response;
    throw new RestError(`${request.method} was answered with ${response.status}`, {
      statusCode: response.status,
      request,
      response,
    });
  },
};
