import type { FastifyInstance } from 'fastify';
import type { Emulator } from '../core/emulator.js';
import { apiVersionsOf } from './api-versions.js';

/** Answers what no provider has a route for as Azure answers types that it does not know, and logs that it is not emulated. */
export function refuseUnknown(app: FastifyInstance, emulator: Emulator): void {
  app.setNotFoundHandler((request, reply) => {
    const { method, call } = request;
    emulator.log.warn({ method, path: call.path }, 'not emulated');
    const { code, message } = unknown(call.path, request.query as Record<string, unknown>);
    const hint =
      `The local Azure does not emulate ${method} ${call.path}. ` +
      'What it does emulate is listed in docs/emulator-parity.md.';
    return reply
      .code(404)
      .header('x-ms-failure-cause', 'gateway')
      .send({ error: { code, message: `${message} ${hint}` } });
  });
}

function unknown(path: string, query: Record<string, unknown>): { code: string; message: string } {
  const [, namespace, rest = ''] = /.*\/providers\/([^/]+)(?:\/(.*))?$/i.exec(path) ?? [];
  if (namespace === undefined) return { code: 'NotFound', message: `There is nothing at ${path}.` };
  if (apiVersionsOf(namespace).length === 0) {
    return { code: 'InvalidResourceNamespace', message: `The resource namespace '${namespace}' is invalid.` };
  }
  const type = rest
    .split('/')
    .filter((_segment, index) => index % 2 === 0)
    .join('/');
  const version = String(query['api-version']);
  return {
    code: 'InvalidResourceType',
    message: `The resource type '${type}' could not be found in the namespace '${namespace}' for api version '${version}'.`,
  };
}
