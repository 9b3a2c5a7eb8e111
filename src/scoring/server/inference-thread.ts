import { parentPort, workerData } from 'node:worker_threads';

import { ImageModel, RejectedImage } from './image-model.js';
import type { Answer, Task, ThreadData } from './thread-messages.js';

const port = parentPort;
if (!port) throw new Error('inference-thread runs as a worker thread');

// Set by ThreadPool alone.
const model = await ImageModel.load(workerData as ThreadData);

async function answer(task: Task): Promise<Answer> {
  try {
    return { kind: 'scored', ...(await model.run(task)) };
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
