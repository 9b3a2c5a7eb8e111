// The load client, in a process of its own: asks one server at a time from so many clients for so long, and says how long each
// call took. Each client has its own connection, and at most one call at a time.
import { performance } from 'node:perf_hooks';
import { readPhotos, requireSame } from './photos.mjs';
import { TRANSPORTS } from './transports.mjs';

/**
 * @typedef {{ transport: string, port: number }} Target
 * @typedef {Target & { clients: number, seconds: number }} LoadRequest
 */

const photos = await readPhotos(process.argv[2]);
const images = photos.map(({ bytes }) => bytes);

/** @param {LoadRequest} request @returns {Promise<Omit<import("./statistics.mjs").Load, "cpu">>} */
async function load({ transport, port, clients, seconds }) {
  const connections = await connect(transport, port, clients);
  const milliseconds = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  const clientLoop = async (connection, first) => {
    for (let photo = first; performance.now() < until; photo++) {
      const asked = performance.now();
      await connection.call(photo % images.length);
      milliseconds.push(performance.now() - asked);
    }
  };
  await Promise.all(connections.map(clientLoop));
  const elapsed = (performance.now() - started) / 1000;
  connections.forEach((connection) => connection.close());
  return { milliseconds, seconds: elapsed };
}

/** Connections that have answered once: connecting is not what is measured. */
async function connect(transport, port, clients) {
  const { connect: open } = await TRANSPORTS[transport]();
  const connections = Array.from({ length: clients }, () => open(port, images));
  await Promise.all(connections.map((connection) => connection.call(0)));
  return connections;
}

/** @param {Target} target @returns {Promise<true>} every photo's answer is TensorFlow's */
async function check({ transport, port }) {
  const { connect: open, read } = await TRANSPORTS[transport]();
  const connection = open(port, images);
  for (const [index, photo] of photos.entries()) requireSame(photo, read(await connection.call(index)));
  connection.close();
  return true;
}

const tasks = { load, check };
process.on('message', ({ task, request }) => {
  tasks[task](request).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: String(error) }),
  );
});
