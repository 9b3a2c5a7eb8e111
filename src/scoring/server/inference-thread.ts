import { parentPort, workerData } from 'node:worker_threads';

import { ImageModel, RejectedImage } from './image-model.js';
import type { Answer, Task, ThreadData } from './thread-messages.js';

const port = parentPort;
if (!port) throw new Error('inference-thread runs as a worker thread');

// Set by ThreadPool alone.
const { directory, manifest, intraOpThreads } = workerData as ThreadData;
const model = await ImageModel.load(directory, manifest, intraOpThreads);

async function answer(task: Task): Promise<Answer> {
  try {
    return { kind: 'scored', outputs: await model.run(task.images) };
  } catch (error) {
    if (error instanceof RejectedImage) return { kind: 'rejected', index: error.index, reason: error.message };
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

const send = (message: Answer) => {
  const moved = message.kind === 'scored' ? message.outputs.map((output) => output.bytes.buffer) : [];
  port.postMessage(message, moved);
};

port.on('message', (task: Task) => void answer(task).then(send));
send({ kind: 'loaded' });
