import { Tensor } from 'onnxruntime-node';

/** @param bytes little-endian, aligned to the type; the tensor uses this memory */
export function inputTensor(type: Tensor.Type, bytes: Uint8Array, dims: number[]): Tensor {
  if (type === 'uint8') return new Tensor(type, bytes, dims);
  if (type !== 'float32') throw new Error(`the model takes ${type}, expected float32 or uint8`);
  return new Tensor(type, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), dims);
}

/** Puts tensors of one shape together as `[rows, …shape]`; one alone keeps its memory. */
export function stackRows(rows: Tensor[]): Tensor {
  const first = rows[0];
  if (!first) throw new Error('a run needs at least one image');
  const dims = [rows.length, ...first.dims];
  return rows.length === 1 ? first.reshape(dims) : inputTensor(first.type, concatenateRows(rows.map(bytesOf)), dims);
}

/** One memory with all rows; one row alone is taken as it is. */
export function concatenateRows(rows: Uint8Array[]): Uint8Array {
  const [first] = rows;
  if (first && rows.length === 1) return first;
  const all = new Uint8Array(rows.reduce((sum, row) => sum + row.byteLength, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.byteLength;
  }
  return all;
}

/** The tensor's own memory: onnxruntime keeps numbers in the byte order of the CPU, which is little-endian wherever Node runs. */
export function bytesOf(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (Array.isArray(data)) throw new Error(`a tensor of ${tensor.type} has no bytes`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
