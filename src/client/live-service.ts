import type { AzureConnection } from '../azure/connection.js';
import { openBlobStore, parseDatastoreUri, readBlob } from '../azure/blobs.js';
import { clusterRef } from '../azure/clusters.js';
import { requireTrust, type ServerTrust } from '../azure/kubernetes/certificate.js';
import { connectToKubernetes } from '../azure/kubernetes/connection.js';
import { releaseKeys } from '../azure/kubernetes/keys.js';
import { tlsSecretsOf } from '../azure/kubernetes/manifests.js';
import { readPublicService, selectedRelease } from '../azure/kubernetes/public-service.js';
import { readDeployment } from '../azure/kubernetes/releases.js';
import { getWorkspace, parseResourceId } from '../azure/workspace.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest, parseLabels } from '../deployment/converted-model.js';
import { releaseName, type Identity } from '../deployment/names.js';
import type { DeployResult } from '../deployment/result.js';
import { AZURE_TIMEOUT_MS } from './limits.js';

/** What opens a live service. */
export interface ScoringAccess {
  /** The one to show comes first; none for a service that asks for none. */
  readonly keys: readonly string[];
  /** Absent for a service without TLS. */
  readonly tls?: ServerTrust;
}

/**
 * Reads keys and certificate of a live service from its cluster: they are in no history and no result.
 *
 * @throws SlipwayError `TlsSecretMissing`, `TlsSecretUnusable`
 */
export async function scoringAccess(
  azure: AzureConnection,
  identity: Identity,
  live: DeployResult,
): Promise<ScoringAccess> {
  const ref = clusterRef(identity, parseResourceId(live.cluster).name);
  const kubernetes = await connectToKubernetes(azure, ref, AbortSignal.timeout(AZURE_TIMEOUT_MS));
  // The release that the public Service selects now: a redeployment that is under way may have retired the one known here.
  const selected = await readPublicService(kubernetes, identity.service);
  const release = releaseName(identity.service, (selected && selectedRelease(selected)) ?? live.release);
  const [keys, deployment] = await Promise.all([releaseKeys(kubernetes, release), readDeployment(kubernetes, release)]);
  const tls = deployment && tlsSecretsOf(deployment);
  return {
    keys: keys ? [keys.primary, keys.secondary] : [],
    ...(tls === undefined ? {} : { tls: await requireTrust(kubernetes, tls) }),
  };
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
