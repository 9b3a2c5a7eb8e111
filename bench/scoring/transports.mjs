// How a client speaks to each kind of server. Requests are encoded beforehand and answers are not decoded: what is measured is
// the server, and the client takes the same small part of the CPU for all.
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Agent, request as httpRequest } from 'node:http';
import path from 'node:path';
import { root } from '../../scripts/commands.mjs';
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
  const asIs = (/** @type {Buffer} */ bytes) => bytes;
  return {
    connect(port, photos) {
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      const requests = photos.map(encode);
      const call = (photo) =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(route, asIs, asIs, requests[photo], (error, answer) =>
            error ? reject(error) : resolve(answer),
          );
        });
      return { call, close: () => client.close() };
    },
    read: (answer) => floats(decode(answer)),
  };
}

/** @param {string} route @returns {Transport} */
function http(route) {
  return {
    connect(port, photos) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const options = { agent, port, host: '127.0.0.1', path: route, method: 'POST', timeout: CALL_TIMEOUT };
      const call = (photo) =>
        new Promise((resolve, reject) => {
          const headers = { 'content-type': 'image/jpeg', 'content-length': photos[photo].length };
          const request = httpRequest({ ...options, headers }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => {
              const body = Buffer.concat(chunks);
              if (response.statusCode === 200) resolve(body);
              else reject(new Error(`HTTP ${response.statusCode}: ${body.toString('utf8').slice(0, 200)}`));
            });
          });
          request.on('error', reject);
          request.on('timeout', () => request.destroy(new Error('no answer')));
          request.end(photos[photo]);
        });
      return { call, close: () => agent.destroy() };
    },
    read: floats,
  };
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
