// Compiled from the .proto files beside this one by scripts/compile-protos.mjs.
export const descriptor: object = {
  nested: {
    tensorflow: {
      nested: {
        serving: {
          nested: {
            ModelSpec: {
              oneofs: { version_choice: { oneof: ['version', 'version_label'] } },
              fields: {
                name: { type: 'string', id: 1 },
                version: { type: 'google.protobuf.Int64Value', id: 2 },
                version_label: { type: 'string', id: 4 },
                signature_name: { type: 'string', id: 3 },
              },
            },
            PredictRequest: {
              fields: {
                model_spec: { type: 'ModelSpec', id: 1 },
                inputs: { keyType: 'string', type: 'TensorProto', id: 2 },
                output_filter: { rule: 'repeated', type: 'string', id: 3 },
              },
            },
            PredictResponse: {
              fields: {
                outputs: { keyType: 'string', type: 'TensorProto', id: 1 },
                model_spec: { type: 'ModelSpec', id: 2 },
              },
            },
            SignatureDefMap: { fields: { signature_def: { keyType: 'string', type: 'SignatureDef', id: 1 } } },
            GetModelMetadataRequest: {
              fields: {
                model_spec: { type: 'ModelSpec', id: 1 },
                metadata_field: { rule: 'repeated', type: 'string', id: 2 },
              },
            },
            GetModelMetadataResponse: {
              fields: {
                model_spec: { type: 'ModelSpec', id: 1 },
                metadata: { keyType: 'string', type: 'google.protobuf.Any', id: 2 },
              },
            },
            ClassificationRequest: { fields: { model_spec: { type: 'ModelSpec', id: 1 } } },
            ClassificationResponse: { fields: { model_spec: { type: 'ModelSpec', id: 2 } } },
            RegressionRequest: { fields: { model_spec: { type: 'ModelSpec', id: 1 } } },
            RegressionResponse: { fields: { model_spec: { type: 'ModelSpec', id: 2 } } },
            MultiInferenceRequest: { fields: {} },
            MultiInferenceResponse: { fields: {} },
            PredictionService: {
              methods: {
                Classify: { requestType: 'ClassificationRequest', responseType: 'ClassificationResponse' },
                Regress: { requestType: 'RegressionRequest', responseType: 'RegressionResponse' },
                Predict: { requestType: 'PredictRequest', responseType: 'PredictResponse' },
                MultiInference: { requestType: 'MultiInferenceRequest', responseType: 'MultiInferenceResponse' },
                GetModelMetadata: { requestType: 'GetModelMetadataRequest', responseType: 'GetModelMetadataResponse' },
              },
            },
            StatusProto: {
              fields: {
                error_code: { type: 'tensorflow.error.Code', id: 1, options: { json_name: 'error_code' } },
                error_message: { type: 'string', id: 2, options: { json_name: 'error_message' } },
              },
            },
            GetModelStatusRequest: { fields: { model_spec: { type: 'ModelSpec', id: 1 } } },
            ModelVersionStatus: {
              fields: {
                version: { type: 'int64', id: 1 },
                state: { type: 'State', id: 2 },
                status: { type: 'StatusProto', id: 3 },
              },
              nested: {
                State: { values: { UNKNOWN: 0, START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } },
              },
            },
            GetModelStatusResponse: {
              fields: {
                model_version_status: {
                  rule: 'repeated',
                  type: 'ModelVersionStatus',
                  id: 1,
                  options: { json_name: 'model_version_status' },
                },
              },
            },
            ReloadConfigRequest: { fields: {} },
            ReloadConfigResponse: { fields: { status: { type: 'StatusProto', id: 1 } } },
            ModelService: {
              methods: {
                GetModelStatus: { requestType: 'GetModelStatusRequest', responseType: 'GetModelStatusResponse' },
                HandleReloadConfigRequest: { requestType: 'ReloadConfigRequest', responseType: 'ReloadConfigResponse' },
              },
            },
          },
        },
        error: {
          nested: {
            Code: {
              values: {
                OK: 0,
                CANCELLED: 1,
                UNKNOWN: 2,
                INVALID_ARGUMENT: 3,
                DEADLINE_EXCEEDED: 4,
                NOT_FOUND: 5,
                ALREADY_EXISTS: 6,
                PERMISSION_DENIED: 7,
                RESOURCE_EXHAUSTED: 8,
                FAILED_PRECONDITION: 9,
                ABORTED: 10,
                OUT_OF_RANGE: 11,
                UNIMPLEMENTED: 12,
                INTERNAL: 13,
                UNAVAILABLE: 14,
                DATA_LOSS: 15,
                UNAUTHENTICATED: 16,
              },
            },
          },
        },
        DataType: {
          values: {
            DT_INVALID: 0,
            DT_FLOAT: 1,
            DT_DOUBLE: 2,
            DT_INT32: 3,
            DT_UINT8: 4,
            DT_INT16: 5,
            DT_INT8: 6,
            DT_STRING: 7,
            DT_COMPLEX64: 8,
            DT_INT64: 9,
            DT_BOOL: 10,
            DT_QINT8: 11,
            DT_QUINT8: 12,
            DT_QINT32: 13,
            DT_BFLOAT16: 14,
            DT_QINT16: 15,
            DT_QUINT16: 16,
            DT_UINT16: 17,
            DT_COMPLEX128: 18,
            DT_HALF: 19,
            DT_RESOURCE: 20,
            DT_VARIANT: 21,
            DT_UINT32: 22,
            DT_UINT64: 23,
          },
        },
        TensorShapeProto: {
          fields: { dim: { rule: 'repeated', type: 'Dim', id: 2 }, unknown_rank: { type: 'bool', id: 3 } },
          nested: { Dim: { fields: { size: { type: 'int64', id: 1 }, name: { type: 'string', id: 2 } } } },
        },
        TensorProto: {
          fields: {
            dtype: { type: 'DataType', id: 1 },
            tensor_shape: { type: 'TensorShapeProto', id: 2 },
            version_number: { type: 'int32', id: 3 },
            tensor_content: { type: 'bytes', id: 4 },
            float_val: { rule: 'repeated', type: 'float', id: 5, options: { packed: true } },
            double_val: { rule: 'repeated', type: 'double', id: 6, options: { packed: true } },
            int_val: { rule: 'repeated', type: 'int32', id: 7, options: { packed: true } },
            string_val: { rule: 'repeated', type: 'bytes', id: 8 },
            int64_val: { rule: 'repeated', type: 'int64', id: 10, options: { packed: true } },
            bool_val: { rule: 'repeated', type: 'bool', id: 11, options: { packed: true } },
          },
        },
        TensorInfo: {
          oneofs: { encoding: { oneof: ['name'] } },
          fields: {
            name: { type: 'string', id: 1 },
            dtype: { type: 'DataType', id: 2 },
            tensor_shape: { type: 'TensorShapeProto', id: 3 },
          },
        },
        SignatureDef: {
          fields: {
            inputs: { keyType: 'string', type: 'TensorInfo', id: 1 },
            outputs: { keyType: 'string', type: 'TensorInfo', id: 2 },
            method_name: { type: 'string', id: 3 },
          },
        },
        SaverDef: { fields: { restore_op_name: { type: 'string', id: 3 } } },
        MetaGraphDef: {
          fields: {
            meta_info_def: { type: 'MetaInfoDef', id: 1 },
            saver_def: { type: 'SaverDef', id: 3 },
            signature_def: { keyType: 'string', type: 'SignatureDef', id: 5 },
          },
          nested: { MetaInfoDef: { fields: { tags: { rule: 'repeated', type: 'string', id: 4 } } } },
        },
        SavedModel: {
          fields: {
            saved_model_schema_version: { type: 'int64', id: 1 },
            meta_graphs: { rule: 'repeated', type: 'MetaGraphDef', id: 2 },
          },
        },
      },
    },
    google: {
      nested: {
        protobuf: {
          nested: {
            Any: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
            DoubleValue: { fields: { value: { type: 'double', id: 1 } } },
            FloatValue: { fields: { value: { type: 'float', id: 1 } } },
            Int64Value: { fields: { value: { type: 'int64', id: 1 } } },
            UInt64Value: { fields: { value: { type: 'uint64', id: 1 } } },
            Int32Value: { fields: { value: { type: 'int32', id: 1 } } },
            UInt32Value: { fields: { value: { type: 'uint32', id: 1 } } },
            BoolValue: { fields: { value: { type: 'bool', id: 1 } } },
            StringValue: { fields: { value: { type: 'string', id: 1 } } },
            BytesValue: { fields: { value: { type: 'bytes', id: 1 } } },
          },
        },
      },
    },
  },
};
