/** A TensorFlow data type by its name, such as `DT_STRING`; a number is one that this descriptor does not know. */
export type DataType = string | number;

export interface TensorShapeProto {
  dim: { size: number; name: string }[];
  unknown_rank: boolean;
}

export interface TensorProto {
  dtype: DataType;
  tensor_shape: TensorShapeProto | null;
  /** The values as bytes, little-endian, row by row; when it is empty the values are in the `_val` field of the type. */
  tensor_content: Buffer;
  float_val: number[];
  /** Also the values of the smaller integer types. */
  int_val: number[];
  string_val: Buffer[];
}

export interface ModelSpec {
  name: string;
  /** Which of `version` and `version_label` is set; neither means the latest version. */
  version_choice?: 'version' | 'version_label';
  version?: { value: number } | null;
  version_label?: string;
  signature_name: string;
}

export interface PredictRequest {
  model_spec: ModelSpec | null;
  inputs: Record<string, TensorProto>;
  output_filter: string[];
}

export interface PredictResponse {
  outputs: Record<string, TensorProto>;
  model_spec: ModelSpec | null;
}

export interface TensorInfo {
  name: string;
  dtype: DataType;
  tensor_shape: TensorShapeProto | null;
}

export interface SignatureDef {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
  method_name: string;
}

export interface SignatureDefMap {
  signature_def: Record<string, SignatureDef>;
}

export interface GetModelMetadataRequest {
  model_spec: ModelSpec | null;
  metadata_field: string[];
}

export interface GetModelMetadataResponse {
  model_spec: ModelSpec | null;
  metadata: Record<string, { type_url: string; value: Buffer }>;
}

/** What every request of a method that Slipway does not have carries, as far as it is read. */
export interface UnsupportedRequest {
  model_spec?: ModelSpec | null;
}

export interface GetModelStatusRequest {
  model_spec: ModelSpec | null;
}

export interface ModelVersionStatus {
  version: number;
  state: 'UNKNOWN' | 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
  status: { error_code: string; error_message: string } | null;
}

export interface GetModelStatusResponse {
  model_version_status: ModelVersionStatus[];
}

/** A message as it is written: a field left out has its default value. */
export type Draft<T> = T extends Buffer
  ? Uint8Array
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? Draft<Item>[]
      : { [Field in keyof T]?: Draft<T[Field]> };
