import type { GetModelMetadataResponse, ModelSpec, SignatureDef, TensorInfo } from '../protos/messages.js';
import { unpackSignatures } from '../protos/services.js';

/** The model that answered a call. */
export interface AnsweringModel {
  name: string;
  version: number | undefined;
}

export interface ModelMetadata {
  signatures: Record<string, { inputs: Record<string, TensorDescription>; outputs: Record<string, TensorDescription> }>;
  modelDigest: string | undefined;
  model: AnsweringModel;
}

export interface TensorDescription {
  /** Name in the graph. */
  tensor: string;
  dtype: string;
  /** -1 stands for a dimension that is not fixed. */
  shape: number[];
}

/** Reads an answer of GetModelMetadata. */
export function readMetadata(response: GetModelMetadataResponse, modelDigest: string | undefined): ModelMetadata {
  const packed = response.metadata['signature_def'];
  const { signature_def } = packed ? unpackSignatures(packed) : { signature_def: {} };
  const signatures = Object.entries(signature_def).map(([name, signature]) => [name, describe(signature)] as const);
  return { signatures: Object.fromEntries(signatures), modelDigest, model: answeringModel(response.model_spec) };
}

/** Reads which model answered. */
export function answeringModel(spec: ModelSpec | null): AnsweringModel {
  return { name: spec?.name ?? '', version: spec?.version?.value };
}

function describe({ inputs, outputs }: SignatureDef) {
  const all = (tensors: Record<string, TensorInfo>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, info]) => [name, describeTensor(info)]));
  return { inputs: all(inputs), outputs: all(outputs) };
}

function describeTensor({ name, dtype, tensor_shape }: TensorInfo): TensorDescription {
  return { tensor: name, dtype: String(dtype), shape: tensor_shape?.dim.map(({ size }) => size) ?? [] };
}
