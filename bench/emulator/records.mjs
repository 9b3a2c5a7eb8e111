// Fills a local Azure through its own API, as clients would have: clusters that are up, and jobs that are over.
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** Seconds until the last cluster is up, and until a job is over: far over what they take. */
const PATIENCE = 300;
/** Milliseconds between two looks at what is in progress. */
const LOOK_INTERVAL = 200;
/** Calls at the same time. */
const CONCURRENCY = 8;
/** Jobs of which the command runs; the others are cancelled as soon as they are accepted, which leaves a record all the same. */
const JOBS_THAT_RUN = 20;

const CLUSTERS = 'Microsoft.ContainerService/managedClusters';
const WORKSPACE = 'Microsoft.MachineLearningServices/workspaces/slipway';
const clusterVersion = 'api-version=2024-09-01';
const workspaceVersion = 'api-version=2022-10-01';

/** @typedef {import('./emulator-process.mjs').EmulatorProcess} EmulatorProcess */

/**
 * @param {EmulatorProcess} azure
 * @param {number} count
 * @returns {Promise<string[]>} paths of the clusters, with their query
 */
export async function makeClusters(azure, count) {
  for (const name of ['cores', 'standardDSv3Family']) {
    await azure.call('PUT', '/_emulator/quotas', { name, limit: count * 4 });
  }
  const paths = Array.from({ length: count }, (_, index) => `${azure.path(CLUSTERS)}/aks-${index}?${clusterVersion}`);
  await each(paths, (path, index) => azure.call('PUT', path, clusterBody(index)));
  await until('the clusters', async () => {
    const { value } = await azure.call('GET', `${azure.path(CLUSTERS)}?${clusterVersion}`);
    return value.every(({ properties }) => properties.provisioningState === 'Succeeded');
  });
  return paths;
}

/**
 * @param {EmulatorProcess} azure
 * @param {number} count
 * @returns {Promise<string[]>} paths of the jobs, with their query
 */
export async function makeJobs(azure, count) {
  const workspace = azure.path(WORKSPACE);
  const environment = `${workspace}/environments/bench/versions/1?${workspaceVersion}`;
  await azure.call('PUT', environment, { properties: { image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04' } });
  const paths = Array.from({ length: count }, (_, index) => `${workspace}/jobs/job-${index}?${workspaceVersion}`);
  await each(paths, async (path, index) => {
    await azure.call('PUT', path, jobBody(index));
    if (index >= JOBS_THAT_RUN) await azure.call('POST', path.replace('?', '/cancel?'));
  });
  await until('the jobs', async () => {
    const { value } = await azure.call('GET', `${workspace}/jobs?${workspaceVersion}`);
    return value.every(({ properties }) => ['Completed', 'Canceled'].includes(properties.status));
  });
  return paths;
}

/** As the product asks for one. @param {number} index */
function clusterBody(index) {
  return {
    location: 'eastus',
    tags: { 'slipway-owner': `bench-${index}/1`, 'slipway-service': `bench-${index}` },
    identity: { type: 'SystemAssigned' },
    properties: {
      dnsPrefix: `bench-${index}`,
      agentPoolProfiles: [{ name: 'pool', count: 1, mode: 'System', vmSize: 'Standard_D4s_v3', osType: 'Linux' }],
    },
  };
}

/** As the product asks for a conversion, with a command that ends at once. @param {number} index */
function jobBody(index) {
  const uri = `azureml://datastores/workspaceblobstore/paths/bench/${index}`;
  return {
    properties: {
      jobType: 'Command',
      displayName: `conversion of model ${index}`,
      command: 'echo $TF_CPP_MIN_LOG_LEVEL',
      environmentId: 'azureml:bench:1',
      computeId: null,
      environmentVariables: { TF_CPP_MIN_LOG_LEVEL: '3' },
      inputs: { opset: { jobInputType: 'literal', value: '18' } },
      outputs: { converted: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri } },
      limits: { jobLimitsType: 'Command', timeout: 'PT1H' },
      tags: { 'slipway-owner': `bench-${index}/1`, 'slipway-service': `bench-${index}` },
    },
  };
}

/** Calls `work` for every item, a few at a time. */
async function each(items, work) {
  const queue = items.entries();
  const run = async () => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, run));
}

/** @param {string} what @param {() => Promise<boolean>} isSo */
async function until(what, isSo) {
  const deadline = performance.now() + PATIENCE * 1000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} are not ready after ${PATIENCE} s`);
    await wait(LOOK_INTERVAL);
  }
}
