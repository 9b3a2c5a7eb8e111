import { ArmError, badRequest } from './errors.js';
import { isOperationPath } from './operation-wires.js';

interface ServedVersions {
  /** The oldest api-version that is accepted, as is anything well-formed from there on. */
  readonly floor: string;
  /** The one whose shapes all bodies have. */
  readonly newest: string;
}

const served: Readonly<Record<string, ServedVersions>> = {
  'microsoft.authorization': { floor: '2015-07-01', newest: '2022-04-01' },
  'microsoft.compute': { floor: '2019-04-01', newest: '2026-03-01' },
  'microsoft.containerregistry': { floor: '2019-05-01', newest: '2025-11-01' },
  'microsoft.containerservice': { floor: '2020-01-01', newest: '2026-05-01' },
  'microsoft.machinelearningservices': { floor: '2022-10-01', newest: '2022-10-01' },
  'microsoft.resources': { floor: '2016-06-01', newest: '2025-04-01' },
  'microsoft.storage': { floor: '2019-06-01', newest: '2025-08-01' },
};

/** The api-versions that a provider names, newest first. */
export function apiVersionsOf(namespace: string): string[] {
  const versions = served[namespace.toLowerCase()];
  return versions === undefined ? [] : [...new Set([versions.newest, versions.floor])];
}

const wellFormed = /^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i;

/**
 * Checks a call's api-version against its provider's floor. Returns a warning where it is newer than the shapes that are served.
 * Throws {@link ArmError} as Resource Manager does.
 */
export function checkApiVersion(path: string, apiVersion: unknown): string | undefined {
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
  if (isOperationPath(path)) return undefined;
  // A provider by itself is a thing of its subscription.
  const provider = /.*\/providers\/([^/]+)\/(?!register$)/i.exec(path)?.[1] ?? 'Microsoft.Resources';
  const versions = served[provider.toLowerCase()];
  if (versions === undefined) return undefined;
  const { floor, newest } = versions;
  if (apiVersion.slice(0, floor.length) < floor) {
    throw new ArmError(
      400,
      'NoRegisteredProviderFound',
      `No registered resource provider found for API version '${apiVersion}' of '${provider}'. ` +
        `The supported api-versions are '${floor}' and later.`,
    );
  }
  if (apiVersion.slice(0, newest.length) <= newest) return undefined;
  return `${provider} answers api-version ${apiVersion} with the shapes of ${newest}`;
}
