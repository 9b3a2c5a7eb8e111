import { access, readdir } from 'node:fs/promises';
import path from 'node:path';

import { directoryEntries, type LayerEntry } from './entries.js';
import { ImageAssemblyError } from './errors.js';

/** Where the scoring runtime lies in the image: its working directory. */
export const runtimeInImage = '/app';

/** The server's entry file in the image: the second part of an entrypoint, after Node. */
export const serverInImage = `${runtimeInImage}/server.mjs`;

/**
 * Node's options for the server. Garbage is collected on the thread that made it: V8's helper threads would take the CPUs of
 * the inference threads, of which there are as many as the container has CPUs (3 to 5 % of a call's CPU, `npm run bench:scoring`).
 */
export const serverNodeOptions = ['--single-threaded-gc', '--v8-pool-size=1'] as const;

/**
 * What glibc is told for the server (`npm run bench:scoring` in docs/scoring.md says what each gives). One heap for all threads: with
 * one each, every heap keeps what loading the model took. Large blocks are mapped by themselves and given back when they are freed:
 * by default only until the first one was freed, and then the heap breaks up around them. Where the system allows it, large blocks
 * are of large pages: the weights are read from end to end for each image.
 */
export const serverEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
} as const;

/** Where the converted model lies in the image. */
export const modelInImage = '/model';

/**
 * The scoring runtime as members of a layer: `server.mjs` and the native packages that the build put beside it.
 *
 * @throws {ImageAssemblyError} `RuntimeMissing` where the directory holds no built runtime
 */
export async function runtimeEntries(runtimeDirectory: string): Promise<LayerEntry[]> {
  await requireRuntime(runtimeDirectory);
  return directoryEntries(runtimeDirectory, runtimeInImage.slice(1));
}

/** The converted model (the conversion's output directory) as members of a layer. */
export async function modelEntries(modelDirectory: string): Promise<LayerEntry[]> {
  return directoryEntries(modelDirectory, modelInImage.slice(1));
}

/**
 * Absolute paths of the native modules below a runtime, which {@link hostBase} needs to find their libraries.
 *
 * @throws {ImageAssemblyError} `RuntimeMissing` where the directory holds no built runtime
 */
export async function nativeModules(runtimeDirectory: string): Promise<string[]> {
  await requireRuntime(runtimeDirectory);
  const files = await readdir(runtimeDirectory, { recursive: true });
  return files
    .filter((file) => file.endsWith('.node'))
    .sort()
    .map((file) => path.resolve(runtimeDirectory, file));
}

async function requireRuntime(runtimeDirectory: string): Promise<void> {
  const server = path.join(runtimeDirectory, path.basename(serverInImage));
  try {
    await access(server);
  } catch (cause) {
    throw new ImageAssemblyError('RuntimeMissing', `there is no scoring runtime: ${server} is missing`, {
      fix: 'Build it with `npm run build`.',
      cause,
    });
  }
}
