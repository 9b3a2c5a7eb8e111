// What no server with this code can beat: decoding, preprocessing and the network in one process without any transport, in a
// process of its own.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { root } from '../../scripts/commands.mjs';
import { floats, readPhotos, requireSame } from './photos.mjs';

/** Larger than any of the photos. */
const MAX_PIXELS = 50_000_000;

/** @param {string} model directory @returns {Promise<(photo: Buffer) => Promise<Float32Array>>} */
async function open(model) {
  const { ImageModel } = await import(path.join(root, 'dist/scoring/server/image-model.js'));
  const manifest = JSON.parse(await readFile(path.join(model, 'manifest.json'), 'utf8'));
  const images = await ImageModel.load({ directory: model, manifest, intraOpThreads: 1, maxPixels: MAX_PIXELS });
  return async (photo) => floats((await images.run({ rows: [photo] })).outputs[0].bytes);
}

/** Scores one photo after the other. @param {string} model */
async function scoreOnThread(model) {
  const score = await open(model);
  const photos = await readPhotos(model);
  for (const photo of photos) requireSame(photo, await score(photo.bytes));
  parentPort.postMessage('ready');
  parentPort.on('message', async (seconds) => {
    const milliseconds = [];
    const started = performance.now();
    const until = started + seconds * 1000;
    for (let index = 0; performance.now() < until; index++) {
      const asked = performance.now();
      await score(photos[index % photos.length].bytes);
      milliseconds.push(performance.now() - asked);
    }
    parentPort.postMessage({ milliseconds, seconds: (performance.now() - started) / 1000 });
  });
}

/** @param {Worker} thread */
const answerOf = (thread) =>
  new Promise((resolve, reject) => {
    thread.removeAllListeners();
    thread.once('message', resolve);
    thread.once('error', reject);
  });

/** @type {Worker[]} */
const threads = [];

/** @param {{ clients: number, seconds: number }} request on so many threads @returns {Promise<Omit<import("./statistics.mjs").Load, "cpu">>} */
async function load({ clients, seconds }) {
  while (threads.length < clients) {
    const thread = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
    await answerOf(thread);
    threads.push(thread);
  }
  const used = threads.slice(0, clients);
  const answers = used.map(answerOf);
  used.forEach((thread) => thread.postMessage(seconds));
  const loads = await Promise.all(answers);
  const longest = Math.max(...loads.map((one) => one.seconds));
  return { milliseconds: loads.flatMap((one) => one.milliseconds), seconds: longest };
}

if (isMainThread) {
  process.on('message', ({ request }) => {
    load(request).then(
      (result) => process.send({ result }),
      (error) => process.send({ error: String(error) }),
    );
  });
} else {
  await scoreOnThread(workerData);
}
