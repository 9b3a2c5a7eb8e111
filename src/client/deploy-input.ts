import type {
  CalibrationPhotos,
  ConversionSettings,
  DeployInput,
  ModelSource,
  SmokePhoto,
} from '../deployment/input.js';
import { defaultClusterName, type Identity } from '../deployment/names.js';
import type { DeploymentSpec } from '../deployment/spec.js';

/** What became of the paths in a specification. */
export interface Uploads {
  readonly source: ModelSource;
  /** That the model carries itself; those of the specification win. */
  readonly tags: Readonly<Record<string, string>>;
  readonly photos: readonly SmokePhoto[];
  /** Where the specification asks for int8. */
  readonly calibration?: CalibrationPhotos;
}

/**
 * The input of the `deploy` workflow: the specification with every default filled in and every path replaced by an address.
 */
export function deployInput(
  spec: DeploymentSpec,
  identity: Identity,
  uploads: Uploads,
  searchAttributes: boolean,
): DeployInput {
  const { description, tags, properties, signature, input, outputs } = spec.model;
  const { existing, region, vmSize, nodeCount, kubernetesVersion } = spec.cluster;
  return {
    identity,
    model: {
      source: uploads.source,
      name: modelName(spec),
      ...(description === undefined ? {} : { description }),
      tags: { ...uploads.tags, ...tags },
      properties,
      signature,
      input,
      outputs,
    },
    conversion: conversionSettings(spec.conversion, uploads.calibration),
    cluster: {
      name: spec.cluster.name ?? defaultClusterName(spec.service),
      existing,
      ...(region === undefined ? {} : { region }),
      vmSize,
      nodeCount,
      ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    },
    scoring: spec.scoring,
    photos: uploads.photos,
    onFailure: spec.onFailure,
    patienceMinutes: spec.patienceMinutes,
    keepReleases: spec.keepReleases,
    searchAttributes,
  };
}

function conversionSettings(
  { quantize, ...settings }: DeploymentSpec['conversion'],
  calibration: CalibrationPhotos | undefined,
): ConversionSettings {
  return quantize && calibration ? { ...settings, quantize: { ...quantize, calibration } } : settings;
}

/** A registered source keeps its own name: the deployment reads it and makes no version of it. */
function modelName(spec: DeploymentSpec): string {
  const registered = spec.model.source === undefined ? undefined : registeredSource(spec.model.source);
  return spec.model.name ?? registered?.name ?? spec.service;
}

/**
 * `azureml:NAME:VERSION` or `azureml:NAME@latest` in parts. The specification's schema has checked the form.
 */
export function registeredSource(source: string): Extract<ModelSource, { kind: 'registered' }> {
  const [name = '', version = 'latest'] = source.slice('azureml:'.length).split(/[:@]/);
  return { kind: 'registered', name, version };
}
