import { status } from '@grpc/grpc-js';

import type { Draft, ModelSpec, ModelVersionStatus } from '../protos/messages.js';
import { invalidArgument, StatusError } from './status-error.js';

/** The one model of this server, as callers name it. */
export interface ServedModel {
  name: string;
  version: number;
  /** Other names of the version, such as `stable`. */
  labels: readonly string[];
}

/**
 * Checks that a request is for the model that this server has. Codes and texts are TensorFlow Serving's
 * (model_servers/server_core.cc).
 *
 * @throws StatusError INVALID_ARGUMENT without a model name or for an unknown label, NOT_FOUND for another model or version
 */
export function requireModel(asked: ModelSpec | null, served: ServedModel): ModelSpec {
  if (!asked) throw invalidArgument('Missing ModelSpec');
  if (!asked.name) throw invalidArgument('ModelSpec has no name specified.');
  const version = askedVersion(asked, served);
  if (asked.name === served.name && (version === undefined || version === served.version)) return asked;
  const servable = version === undefined ? `Latest(${asked.name})` : `Specific(${asked.name}, ${version})`;
  throw new StatusError(status.NOT_FOUND, `Servable not found for request: ${servable}`);
}

/**
 * The status of the versions that are asked for, which is that of the one version there is
 * (model_servers/get_model_status_impl.cc).
 *
 * @throws StatusError INVALID_ARGUMENT without a model, NOT_FOUND for another model or version
 */
export function versionStatus(asked: ModelSpec | null, served: ServedModel): Draft<ModelVersionStatus>[] {
  if (!asked) throw invalidArgument('Missing ModelSpec');
  const version = askedVersion(asked, served);
  if (version !== undefined && (asked.name !== served.name || version !== served.version)) {
    throw new StatusError(status.NOT_FOUND, `Could not find version ${version} of model ${asked.name}`);
  }
  if (asked.name !== served.name) {
    throw new StatusError(status.NOT_FOUND, `Could not find any versions of model ${asked.name}`);
  }
  return [{ version: served.version, state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }];
}

function askedVersion(asked: ModelSpec, served: ServedModel): number | undefined {
  if (asked.version_choice !== 'version_label') return asked.version?.value;
  if (asked.name === served.name && served.labels.includes(asked.version_label ?? '')) return served.version;
  throw invalidArgument(`Unrecognized servable version label: ${asked.version_label}`);
}
