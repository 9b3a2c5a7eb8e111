import pLimit from 'p-limit';
import { listModelContainers, ROLE_TAG, type ModelContainer, type Tags } from '../azure/model-containers.js';
import { describeModelVersions, type DescribedVersion } from '../azure/models.js';
import { SlipwayError } from '../deployment/errors.js';
import { DIGEST_PROPERTY, OWNER_TAG, SERVICE_TAG, SOURCE_PROPERTY } from '../deployment/names.js';
import { asking } from './azure-failures.js';
import { AZURE_TIMEOUT_MS, PARALLEL_READS } from './limits.js';
import { listReleases, type ServiceReleases } from './releases.js';
import type { WorkspaceAccess } from './workspace-access.js';

/** A registered model of the workspace. */
export interface ListedModel {
  readonly name: string;
  /** What Slipway made it for; absent for someone else's. */
  readonly role?: string;
  /** The service whose deployments register its versions; absent for someone else's. */
  readonly service?: string;
  /** Newest first, archived ones included. */
  readonly versions: readonly ListedModelVersion[];
}

/** A version of a registered model. */
export interface ListedModelVersion {
  readonly version: string;
  /** Digest of its content; absent where whoever registered it gave none. */
  readonly digest?: string;
  readonly createdAt: string;
  readonly archived: boolean;
  readonly description?: string;
  /** As the user set them; Slipway's own are left out. */
  readonly tags: Tags;
  readonly properties: Tags;
  /** ARM id. */
  readonly id: string;
  /** Where its content lies. */
  readonly url: string;
  /** `name:version` that it was converted from. */
  readonly source?: string;
  /** `name:version` of what it was converted to. */
  readonly converted: readonly string[];
  readonly deployed: readonly ModelUse[];
}

/** A release that was made of a model. `kept`: it is kept for a rollback. */
export interface ModelUse {
  readonly service: string;
  /** Short digest. */
  readonly release: string;
  readonly state: 'live' | 'kept';
}

/** What a list of models is made of. */
export interface ListedModels {
  readonly models: readonly ListedModel[];
  /** Clusters that could not be asked: what is deployed on them is not known. */
  readonly problems: readonly string[];
}

/** Slipway's own tags and properties are said in words. */
const OWN = /^slipway-/;

/**
 * The registered models of the workspace, by name.
 *
 * @param all also those that Slipway did not register
 */
export async function listModels({ azure, place }: WorkspaceAccess, all: boolean): Promise<ListedModels> {
  const abortSignal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  const limit = pLimit(PARALLEL_READS);
  return asking(async () => {
    const [containers, releases] = await Promise.all([
      listModelContainers(azure, place, abortSignal),
      listReleases(azure, place, abortSignal),
    ]);
    const found = await Promise.all(
      containers
        .filter(({ tags }) => all || tags[OWNER_TAG] !== undefined)
        .map((container) =>
          limit(async () => ({
            container,
            versions: await describeModelVersions(azure, place, container.name, abortSignal),
          })),
        ),
    );
    return { models: modelsOf(found, releases), problems: releases.flatMap(({ problem }) => problem ?? []) };
  });
}

/**
 * One registered model.
 *
 * @throws SlipwayError `ModelNotFound`
 */
export async function getModel(access: WorkspaceAccess, name: string): Promise<ListedModel> {
  // A version does not say what it was converted to: all models are read for that.
  const { models } = await listModels(access, true);
  const model = models.find((each) => each.name === name);
  if (model) return model;
  throw new SlipwayError('ModelNotFound', `${access.place.workspaceName} has no model ${name}`, {
    fix: '`slipway models --all` lists those that it has.',
  });
}

/** Puts together what containers, versions and releases say of the models. */
export function modelsOf(
  found: readonly { container: ModelContainer; versions: readonly DescribedVersion[] }[],
  services: readonly ServiceReleases[],
): ListedModel[] {
  const versions = found.flatMap((each) => each.versions);
  return found
    .map(({ container: { name, tags }, versions: own }) => ({
      name,
      ...(tags[ROLE_TAG] === undefined ? {} : { role: tags[ROLE_TAG] }),
      ...(tags[SERVICE_TAG] === undefined ? {} : { service: tags[SERVICE_TAG] }),
      versions: [...own].sort(newestFirst).map((version) => versionOf(version, versions, services)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function versionOf(
  version: DescribedVersion,
  all: readonly DescribedVersion[],
  services: readonly ServiceReleases[],
): ListedModelVersion {
  const { createdAt, archived, description, tags, properties, id, url } = version;
  const name = nameOf(version);
  const digest = properties[DIGEST_PROPERTY];
  const source = properties[SOURCE_PROPERTY];
  return {
    version: version.version,
    ...(digest === undefined ? {} : { digest }),
    createdAt,
    archived,
    ...(description === undefined ? {} : { description }),
    tags: withoutOwn(tags),
    properties: withoutOwn(properties),
    id,
    url,
    ...(source === undefined ? {} : { source }),
    converted: all.filter((each) => each.properties[SOURCE_PROPERTY] === name).map(nameOf),
    deployed: services.flatMap((service) => usesOf(name, service)),
  };
}

function usesOf(name: string, { service, live, releases }: ServiceReleases): ModelUse[] {
  const uses = releases
    .filter(({ source, converted }) => source === name || converted === name)
    // A release that is live again is in the history twice.
    .map(({ release }) => release);
  return [...new Set(uses)].map((release) => ({ service, release, state: release === live ? 'live' : 'kept' }));
}

function nameOf({ name, version }: Pick<DescribedVersion, 'name' | 'version'>): string {
  return `${name}:${version}`;
}

function withoutOwn(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => !OWN.test(name)));
}

function newestFirst(a: DescribedVersion, b: DescribedVersion): number {
  return Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(b.version) - Number(a.version);
}
