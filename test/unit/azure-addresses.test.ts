import { describe, expect, it } from 'vitest';
import { parseDatastoreUri } from '../../src/azure/blobs.js';
import { connectToAzure } from '../../src/azure/connection.js';
import { parseResourceId } from '../../src/azure/workspace.js';

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('an azureml address', () => {
  it.each([
    [
      'azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/store/paths/slipway/models/1/',
      { datastore: 'store', path: 'slipway/models/1' },
    ],
    [
      'azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.j',
      { datastore: 'workspaceartifactstore', path: 'ExperimentRun/dcid.j' },
    ],
    ['azureml://datastores/store/paths/a', { datastore: 'store', path: 'a' }],
  ])('is read: %s', (uri, place) => {
    expect(parseDatastoreUri(uri)).toEqual(place);
  });

  it.each(['azureml:boats:1', 'https://account/container/a', 'azureml://jobs/j/outputs/o/paths/'])(
    'is refused: %s',
    (uri) => {
      expect(thrownBy(() => parseDatastoreUri(uri))).toMatchObject({ code: 'UnsupportedAddress' });
    },
  );
});

it('reads ARM ids of any case', () => {
  const id = '/subscriptions/s/resourcegroups/G/providers/Microsoft.Storage/storageAccounts/a';
  expect(parseResourceId(id)).toEqual({ subscriptionId: 's', resourceGroup: 'G', name: 'a' });
  expect(thrownBy(() => parseResourceId('/subscriptions/s'))).toMatchObject({ code: 'InvalidResourceId' });
});

describe('the connection', () => {
  it('is to the public cloud unless the environment says otherwise', () => {
    expect(connectToAzure({})).toMatchObject({ arm: 'https://management.azure.com', ca: undefined });
    const own = { SLIPWAY_AZURE_ENDPOINT: 'https://azure.example:8443/' };
    expect(connectToAzure(own).arm).toBe('https://azure.example:8443');
  });

  it.each([
    [{ SLIPWAY_AZURE_ENDPOINT: 'http://azure.example' }, 'SLIPWAY_AZURE_ENDPOINT must be an https:// address'],
    [{ SLIPWAY_AZURE_CA: '/no/such/file.pem' }, 'SLIPWAY_AZURE_CA names /no/such/file.pem'],
    [{ AZURE_AUTHORITY_HOST: 'https://login.example' }, 'who signs in is not said'],
  ])('is refused with %j', (environment, message) => {
    const error = thrownBy(() => connectToAzure(environment));
    expect(error).toMatchObject({ code: 'InvalidEnvironment' });
    expect(String(error)).toContain(message);
  });

  it('uses one client for one subscription', () => {
    const azure = connectToAzure({});
    expect(azure.machineLearning('a')).toBe(azure.machineLearning('a'));
    expect(azure.machineLearning('a')).not.toBe(azure.machineLearning('b'));
  });
});
