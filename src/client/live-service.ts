import type { AzureConnection } from '../azure/connection.js';
import { openBlobStore, parseDatastoreUri, readBlob } from '../azure/blobs.js';
import { clusterRef } from '../azure/clusters.js';
import { connectToKubernetes } from '../azure/kubernetes/connection.js';
import { releaseKeys } from '../azure/kubernetes/keys.js';
import { readPublicService, selectedRelease } from '../azure/kubernetes/public-service.js';
import { getWorkspace, parseResourceId } from '../azure/workspace.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest, parseLabels } from '../deployment/converted-model.js';
import { releaseName, type Identity } from '../deployment/names.js';
import type { DeployResult } from '../deployment/result.js';
import { AZURE_TIMEOUT_MS } from './limits.js';

/**
 * The keys that open a live service, read from its cluster: keys are in no history and no result. The one to show comes first.
 *
 * @returns none for a service that asks for none
 */
export async function scoringKeys(
  azure: AzureConnection,
  identity: Identity,
  live: DeployResult,
): Promise<readonly string[]> {
  const ref = clusterRef(identity, parseResourceId(live.cluster).name);
  const kubernetes = await connectToKubernetes(azure, ref, AbortSignal.timeout(AZURE_TIMEOUT_MS));
  // The release that the public Service selects now: a redeployment that is under way may have retired the one known here.
  const selected = await readPublicService(kubernetes, identity.service);
  const release = (selected && selectedRelease(selected)) ?? live.release;
  const keys = await releaseKeys(kubernetes, releaseName(identity.service, release));
  return keys ? [keys.primary, keys.secondary] : [];
}

/** What is known of the model that a service scores with. */
export interface LiveModel {
  /** Key of its input in the signature. */
  readonly input: string;
  readonly labels?: readonly string[];
}

/** Reads the manifest and the labels of the converted model that a service scores with. */
export async function liveModel(
  azure: AzureConnection,
  identity: Identity,
  live: DeployResult,
): Promise<LiveModel | undefined> {
  const signal = AbortSignal.timeout(AZURE_TIMEOUT_MS);
  const workspace = await getWorkspace(azure, identity, signal);
  const { datastore, path } = parseDatastoreUri(live.converted.url);
  const store = await openBlobStore(azure, workspace, signal, datastore);
  const text = await readBlob(store, `${path}/${CONVERTED_MANIFEST}`, signal);
  if (!text) return undefined;
  const { inputs, labels } = ConvertedModelManifest.parse(JSON.parse(text.toString('utf8')));
  const input = inputs[0]?.name;
  if (input === undefined) return undefined;
  const lines = labels && (await readBlob(store, `${path}/${labels.file}`, signal));
  return { input, ...(lines ? { labels: parseLabels(lines) } : {}) };
}
