import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { AZURE_PYTHON, installed } from '../fixtures/witnesses.js';

let emulator: TestEmulator;
let directory: string;

/** Runs az, with variables of the emulator's environment put in; gives what it prints, and the exit code of a failure. */
async function az(line: string): Promise<string> {
  const { endpoints, environment } = emulator;
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...environment,
    HOME: directory,
    AZURE_CONFIG_DIR: join(directory, 'azure'),
    AZURE_CORE_COLLECT_TELEMETRY: 'no',
    AZURE_CORE_NO_COLOR: 'yes',
    // The authority is not one that Microsoft knows.
    AZURE_CORE_INSTANCE_DISCOVERY: 'no',
    REQUESTS_CA_BUNDLE: endpoints.ca,
  };
  const args = line.split(' ').map((part) => part.replace(/^\$(\w+)$/, (_, name: string) => env[name] ?? ''));
  const options = { cwd: directory, env, reject: false, stripFinalNewline: false };
  const { stdout, stderr, exitCode } = await execa(AZURE_PYTHON, ['-m', 'azure.cli', ...args], options);
  return `${stdout}${stderr}${exitCode === 0 ? '' : `exit ${exitCode}`}`;
}

const nodes = async (): Promise<(string | undefined)[]> => {
  const config = new KubeConfig();
  config.loadFromString(await readFile(join(directory, 'kubeconfig'), 'utf8'));
  const { items } = await config.makeApiClient(CoreV1Api).listNode();
  return items.map(({ metadata }) => metadata?.labels?.['kubernetes.azure.com/agentpool']);
};

const group = '-g slipway-local';
const cluster = `${group} -n harbour`;
const pools = `${group} --cluster-name harbour`;
const pool = `${pools} -n berths`;
const workspaces = 'Microsoft.MachineLearningServices/workspaces';

/** Lines with what they print, in order: each finds what those before it left. */
type Script = [string, RegExp][];

const signIn = 'login --service-principal -u $AZURE_CLIENT_ID --tenant $AZURE_TENANT_ID -o none';
const registering: Script = [
  ['cloud register -n local --endpoint-resource-manager $SLIPWAY_AZURE_ENDPOINT', /^$/],
  ['cloud set -n local', /Switched active cloud to 'local'/],
  ['account show', /Please run 'az login'[^]*exit 1$/],
  [`${signIn} -p wrong`, /AADSTS7000215: Invalid client secret provided[^]*exit 1$/],
  [`${signIn} -p $AZURE_CLIENT_SECRET`, /^$/],
  ['account show --query [environmentName,state,user.type] -o tsv', /^local\nEnabled\nservicePrincipal\n$/],
  ['account list-locations --query [].name -o tsv', /^westeurope$/m],
];
const resources: Script = [
  ['group create -n quay -l westeurope --tags tide=low --query properties.provisioningState', /^"Succeeded"$/m],
  ['group list --query [].[name,location] -o tsv', /^quay\twesteurope\nslipway-local\teastus\n$/],
  ['group exists -n beach', /^false$/m],
  ['resource list --query [].type -o tsv', /^Microsoft.Storage\/storageAccounts$/m],
  [`resource show ${group} -n slipway --resource-type ${workspaces} --query name`, /"slipway"/],
  ['rest --url /subscriptions/{subscriptionId}/resourceGroups/quay?api-version=2021-04-01', /"tide": "low"/],
  ['rest --url /subscriptions/{subscriptionId}/resourceGroups/beach?api-version=2021-04-01', /ResourceGroupNotFound/],
  [
    `storage account list ${group} --query [].primaryEndpoints.blob -o tsv`,
    /^https:\/\/127\.0\.0\.1:\d+\/slipwaylocal\/$/m,
  ],
  ['acr show -n slipwaylocal --query loginServer -o tsv', /^127\.0\.0\.1:\d+$/m],
  ['acr repository list -n slipwaylocal -o tsv', /^$/],
  ['vm list-usage -l eastus --query [0].limit', /^"350"$/m],
];
const creating: Script = [
  [
    `aks show ${cluster}`,
    /\(ResourceNotFound\) The Resource 'Microsoft.ContainerService\/managedClusters\/harbour'[^]*exit 3$/,
  ],
  [`aks create ${cluster} --no-ssh-key --yes --node-count 1000`, /\(ErrCode_InsufficientVCPUQuota\)[^]*exit 1$/],
  ['aks create -g beach -n harbour --no-ssh-key --yes', /\(ResourceGroupNotFound\)[^]*exit 3$/],
  [
    `aks create ${cluster} --no-ssh-key --yes --node-count 1 --attach-acr slipwaylocal -o none`,
    /AAD role propagation done/,
  ],
  ['role assignment list --all --query [].roleDefinitionName -o tsv', /^AcrPull$/m],
  ['aks list --query [].[name,provisioningState] -o tsv', /^harbour\tSucceeded\n$/],
  [`aks get-credentials ${cluster} -f kubeconfig`, /Merged "harbour" as current context/],
];
const changing: Script = [
  [`aks scale ${cluster} --node-count 2 --query agentPoolProfiles[0].count`, /^2$/m],
  [`aks update ${cluster} --tags tide=high --query tags.tide`, /^"high"$/m],
  [`aks nodepool list ${pools} --query [].[name,count,vmSize] -o tsv`, /^nodepool1\t2\tStandard_D4s_v3\n$/],
  [
    `aks nodepool add ${pool} --node-count 1 --node-vm-size Standard_D4s_v5 --query provisioningState`,
    /^"Succeeded"$/m,
  ],
  [`aks nodepool scale ${pool} --node-count 3 --query count`, /^3$/m],
  [`aks nodepool list ${pools} --query [].[name,count,vmSize] -o tsv`, /^berths\t3\tStandard_D4s_v5$/m],
  [`aks nodepool delete ${pool}`, /^$/],
  [`aks nodepool show ${pool}`, /NotFound\)/],
  [`resource list --tag tide=high --query [].name -o tsv`, /^harbour\n$/],
  [`aks delete ${cluster} --yes`, /^$/],
  [`aks show ${cluster}`, /\(ResourceNotFound\)/],
  ['aks list', /^\[\]\n$/],
  ['group delete -n quay --yes', /^$/],
  ['group exists -n quay', /^false$/m],
  ['logout', /^$/],
  ['group list', /Please run 'az login'/],
];

beforeAll(async () => {
  [emulator, directory] = await Promise.all([startEmulator(), mkdtemp(join(tmpdir(), 'slipway-az-'))]);
});
afterAll(async () => {
  await emulator?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(!installed.azureClients)('az', () => {
  const prints = async (line: string, expected: RegExp) => expect(await az(line)).toMatch(expected);
  it.each(registering)('%s', prints);
  it.each(resources)('%s', prints);
  it.each(creating)('%s', prints);
  it('writes a kubeconfig that reaches the cluster', async () => expect(await nodes()).toEqual(['nodepool1']));
  it.each(changing)('%s', prints);
});
