import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { configMaps, secrets } from '../api/resources.js';
import type { ObjectStore } from '../api/store.js';
import type { Pod, Volume } from '../objects/pod.js';
import { ContainerConfigError } from './environment.js';

type Files = Map<string, Buffer>;

/** The files of a Secret or ConfigMap volume by their paths; undefined for a volume that the pod writes itself. */
function filesOf(volume: Volume, namespace: string | undefined, store: ObjectStore): Files | undefined {
  const { secret, configMap } = volume;
  if (secret !== undefined) {
    const data = store.get(secrets, namespace, secret.secretName)?.data;
    const content = toBuffers(data, 'base64');
    return select(content, secret, `secret "${secret.secretName}" not found`);
  }
  if (configMap !== undefined) {
    const found = store.get(configMaps, namespace, configMap.name);
    const content =
      found && new Map([...toBuffers(found.data ?? {}, 'utf8')!, ...toBuffers(found.binaryData ?? {}, 'base64')!]);
    return select(content, configMap, `configmap "${configMap.name}" not found`);
  }
  return undefined;
}

function toBuffers(data: Record<string, string> | undefined, encoding: 'base64' | 'utf8'): Files | undefined {
  return data && new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}

function select(content: Files | undefined, source: Source, missing: string): Files {
  if (content === undefined) {
    if (source.optional === true) return new Map();
    throw new ContainerConfigError(missing);
  }
  if (source.items === undefined) return content;
  return new Map(
    source.items.map(({ key, path }) => {
      const value = content.get(key);
      if (value === undefined) throw new ContainerConfigError(`references non-existent key: ${key}`);
      return [posix.normalize(`/${path}`).slice(1), value];
    }),
  );
}

interface Source {
  items?: { key: string; path: string }[] | undefined;
  optional?: boolean | undefined;
}

/** Writes the files of a volume; each is replaced in one step, so that a reader sees the old or the new. */
async function writeFiles(directory: string, files: Files): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  for (const [path, content] of files) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, content, { mode: 0o644 });
    await rename(`${file}.new`, file);
  }
  for (const name of await readdir(directory)) {
    const isWanted = [...files.keys()].some((path) => path.split('/')[0] === name);
    if (!isWanted) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * Makes the volumes of a pod below `directory`, one directory each; called again, brings the content of Secrets and
 * ConfigMaps up to date and leaves what the pod wrote alone.
 * @throws ContainerConfigError for one that does not exist
 */
export async function prepareVolumes(pod: Pod, directory: string, store: ObjectStore): Promise<void> {
  for (const volume of pod.spec.volumes ?? []) {
    const path = join(directory, volume.name);
    const files = filesOf(volume, pod.metadata.namespace, store);
    if (files !== undefined) await writeFiles(path, files);
    else {
      await mkdir(path, { recursive: true });
      // Containers of any user share it.
      await chmod(path, 0o777);
    }
  }
}

/** Whether a pod has a volume with the content of that Secret or ConfigMap. */
export function usesInVolume(pod: Pod, kind: string, name: string): boolean {
  return (pod.spec.volumes ?? []).some((volume) => {
    return kind === 'Secret' ? volume.secret?.secretName === name : volume.configMap?.name === name;
  });
}
