// How a client speaks to each kind of server. Requests are bytes made beforehand and answers are not decoded: the client shares
// the CPUs with the server, and what it takes of them would be measured with it.
import { loadSync } from '@grpc/proto-loader';
import path from 'node:path';
import { root } from '../../scripts/commands.mjs';
import { GrpcWire, grpcRequest } from './grpc-wire.mjs';
import { HttpWire, httpRequest } from './http-wire.mjs';
import { floats } from './photos.mjs';

const KSERVE_PROTO = path.join(root, 'bench/scoring/peers/kserve.proto');

/** A call that takes longer ends the benchmark, in milliseconds. */
const CALL_TIMEOUT = 30_000;

/**
 * @typedef {{ call(photo: number): Promise<Buffer>, close(): void }} Connection one client's own connection
 * @typedef {{ connect(port: number, photos: readonly Buffer[]): Connection, read(answer: Buffer): Float32Array }} Transport
 */

/** @param {string} route @param {(photo: Buffer) => Buffer} encode @param {(answer: Buffer) => Uint8Array} decode @returns {Transport} */
function grpc(route, encode, decode) {
  return {
    connect: (port, photos) =>
      connection(
        new GrpcWire(port),
        photos.map((photo) => grpcRequest(route, encode(photo))),
      ),
    read: (answer) => floats(decode(answer)),
  };
}

/** @param {string} route @returns {Transport} */
function http(route) {
  return {
    connect: (port, photos) =>
      connection(
        new HttpWire(port),
        photos.map((photo) => httpRequest(route, photo)),
      ),
    read: floats,
  };
}

/** @param {GrpcWire | HttpWire} wire @param {readonly any[]} requests of the photos @returns {Connection} */
function connection(wire, requests) {
  wire.socket.setTimeout(CALL_TIMEOUT, () => wire.fail(new Error('no answer')));
  return { call: (photo) => wire.call(requests[photo]), close: () => wire.close() };
}

/** @returns {Promise<Transport>} TensorFlow Serving's */
async function predict() {
  const { predictionService } = await import(path.join(root, 'dist/scoring/protos/services.js'));
  const { path: route, requestSerialize, responseDeserialize } = predictionService.Predict;
  const encode = (photo) => {
    const images = { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: 1 }] }, string_val: [photo] };
    return requestSerialize({ model_spec: { name: 'scoring' }, inputs: { images } });
  };
  return grpc(route, encode, (answer) => Object.values(responseDeserialize(answer).outputs)[0].tensor_content);
}

/** @returns {Transport} the Open Inference Protocol's */
function modelInfer() {
  const { 'inference.GRPCInferenceService': service } = loadSync(KSERVE_PROTO, { keepCase: true });
  const { path: route, requestSerialize, responseDeserialize } = service.ModelInfer;
  const encode = (photo) => {
    const input = { name: 'images', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [photo] } };
    return requestSerialize({ model_name: 'scoring', inputs: [input] });
  };
  return grpc(route, encode, (answer) => responseDeserialize(answer).raw_output_contents[0]);
}

/** Each kind of server's transport, by name. @type {Readonly<Record<string, () => Transport | Promise<Transport>>>} */
export const TRANSPORTS = {
  predict,
  modelInfer,
  score: () => http('/score'),
  kserveRest: () => http('/v1/models/scoring:predict'),
  echo: () =>
    grpc(
      '/echo/Echo',
      (photo) => photo,
      () => Buffer.alloc(0),
    ),
};
