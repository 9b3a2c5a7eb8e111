import type { Draft, TensorProto } from '../protos/messages.js';
import { PredictError } from './predict-error.js';

/** An output: `values` holds the rows one after the other, `shape[0]` of them. */
export interface FloatTensor {
  shape: number[];
  values: Float32Array;
}

/** What a row of a model's input is that takes no encoded images: little-endian values of a type, in a shape. */
export interface TensorType {
  /** TensorFlow's name of it, such as `DT_FLOAT`. */
  dtype: string;
  /** Of one row, without the batch dimension. */
  shape: readonly number[];
}

/** Images as the vector of strings that a SavedModel takes, or as a batch of rows where it takes a tensor. */
export function imagesTensor(images: readonly Uint8Array[], tensor?: TensorType): Draft<TensorProto> {
  const dim = [images.length, ...(tensor?.shape ?? [])].map((size) => ({ size }));
  if (!tensor) return { dtype: 'DT_STRING', tensor_shape: { dim }, string_val: [...images] };
  return { dtype: tensor.dtype, tensor_shape: { dim }, tensor_content: Buffer.concat(images) };
}

/**
 * Reads a tensor of floats, from `tensor_content` as Slipway writes it or from `float_val` as TensorFlow Serving does.
 *
 * @throws PredictError DATA_LOSS when it is of another type or its values do not fill its shape
 */
export function readFloats(name: string, tensor: TensorProto): FloatTensor {
  if (tensor.dtype !== 'DT_FLOAT')
    throw new PredictError('DATA_LOSS', `output ${name} is ${tensor.dtype}, not DT_FLOAT`);
  const shape = tensor.tensor_shape?.dim.map(({ size }) => size) ?? [];
  const values =
    tensor.tensor_content.length > 0
      ? new Float32Array(Uint8Array.prototype.slice.call(tensor.tensor_content).buffer)
      : Float32Array.from(tensor.float_val);
  const expected = shape.reduce((product, size) => product * size, 1);
  if (values.length !== expected) {
    throw new PredictError('DATA_LOSS', `output ${name} has ${values.length} values for shape [${shape.join(', ')}]`);
  }
  return { shape, values };
}

/** Row `index` of an output whose first dimension counts the images. */
export function row({ shape, values }: FloatTensor, index: number): Float32Array {
  const length = shape.slice(1).reduce((product, size) => product * size, 1);
  return values.subarray(index * length, (index + 1) * length);
}
