import { ArmError, badRequest } from './errors.js';

/** The oldest api-version of each provider whose shapes are served; anything well-formed from there on is accepted. */
const floors: Readonly<Record<string, string>> = {
  'microsoft.authorization': '2015-07-01',
  'microsoft.compute': '2019-04-01',
  'microsoft.containerregistry': '2019-05-01',
  'microsoft.containerservice': '2020-01-01',
  'microsoft.machinelearningservices': '2022-10-01',
  'microsoft.resources': '2016-06-01',
  'microsoft.storage': '2019-06-01',
};

const wellFormed = /^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i;

/** Checks a call's api-version against its provider's floor. Throws {@link ArmError} as Resource Manager does. */
export function checkApiVersion(path: string, apiVersion: unknown): void {
  if (apiVersion === undefined || apiVersion === '') {
    throw badRequest(
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  if (typeof apiVersion !== 'string' || !wellFormed.test(apiVersion)) {
    throw badRequest('InvalidApiVersionParameter', `The api-version ${JSON.stringify(apiVersion)} is invalid.`);
  }
  // Operation URLs carry a version of their own, older than any request's.
  if (/\/locations\/[^/]+\/operation(s|results)\//i.test(path)) return;
  const provider = path.match(/.*\/providers\/([^/]+)/)?.[1] ?? 'Microsoft.Resources';
  const floor = floors[provider.toLowerCase()];
  if (floor !== undefined && apiVersion.slice(0, floor.length) < floor) {
    throw new ArmError(
      400,
      'NoRegisteredProviderFound',
      `No registered resource provider found for API version '${apiVersion}' of '${provider}'. ` +
        `The supported api-versions are '${floor}' and later.`,
    );
  }
}
