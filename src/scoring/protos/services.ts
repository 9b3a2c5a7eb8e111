import { definitionOf, type Method } from './definitions.js';
import type {
  Draft,
  GetModelMetadataRequest,
  GetModelMetadataResponse,
  GetModelStatusRequest,
  GetModelStatusResponse,
  PredictRequest,
  PredictResponse,
  SignatureDefMap,
  UnsupportedRequest,
} from './messages.js';

/** The methods of `tensorflow.serving.PredictionService`, for a gRPC server or client. */
export const predictionService = definitionOf('tensorflow.serving.PredictionService') as unknown as {
  // proto-loader types every message as `object`: the shapes are those of the descriptor under the options above.
  Predict: Method<PredictRequest, PredictResponse>;
  GetModelMetadata: Method<GetModelMetadataRequest, GetModelMetadataResponse>;
  Classify: Method<UnsupportedRequest, object>;
  Regress: Method<UnsupportedRequest, object>;
  MultiInference: Method<UnsupportedRequest, object>;
};

/** The methods of `tensorflow.serving.ModelService`. */
export const modelService = definitionOf('tensorflow.serving.ModelService') as unknown as {
  // The same as above.
  GetModelStatus: Method<GetModelStatusRequest, GetModelStatusResponse>;
  HandleReloadConfigRequest: Method<UnsupportedRequest, object>;
};

/**
 * Trailing metadata of a refusal that may pass: milliseconds after which the caller may repeat the call (gRPC's retry design,
 * A6). Without it a refusal stands.
 */
export const RETRY_PUSHBACK_METADATA = 'grpc-retry-pushback-ms';

const signatureDefMap = definitionOf('tensorflow.serving.SignatureDefMap') as unknown as {
  // The same as above.
  serialize(this: void, message: Draft<SignatureDefMap>): Buffer;
  deserialize(this: void, bytes: Buffer): SignatureDefMap;
};

const SIGNATURE_DEF_MAP_URL = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

/** Packs signatures into the `google.protobuf.Any` that GetModelMetadata answers under `signature_def`. */
export function packSignatures(message: Draft<SignatureDefMap>): { type_url: string; value: Buffer } {
  return { type_url: SIGNATURE_DEF_MAP_URL, value: signatureDefMap.serialize(message) };
}

/**
 * Reads what {@link packSignatures} wrote.
 *
 * @throws TypeError when the message is of another type
 */
export function unpackSignatures(any: { type_url: string; value: Buffer }): SignatureDefMap {
  if (any.type_url !== SIGNATURE_DEF_MAP_URL) throw new TypeError(`expected a SignatureDefMap, got ${any.type_url}`);
  return signatureDefMap.deserialize(any.value);
}
