import { join } from 'node:path';
import type { ClusterContext } from '../cluster-context.js';
import type { Container, Pod } from '../objects/pod.js';
import { commandOf, ContainerConfigError, environmentOf } from './environment.js';
import type { ImageStore, PulledImage } from './image-store.js';
import { buildRoot, provideFile } from './root-file-system.js';
import { findProgram, resolveUser, type Mount, type Sandbox, type Sandboxed } from './sandbox.js';

/** What a pod gives its containers. */
export interface PodEnvironment {
  readonly context: ClusterContext;
  readonly images: ImageStore;
  readonly sandbox: Sandbox;
  readonly logDirectory: string;
  /** Directory of this pod: volumes and roots. */
  readonly directory: string;
  readonly podIP: string;
  /** The pod as it was given to the node. */
  readonly pod: Pod;
  /** Calls when the status of a container has changed. */
  changed(): void;
}

/**
 * Makes a container's root and everything else that its process needs.
 * @throws ContainerConfigError for what the pod refers to and is not there; Error for a program that the image lacks
 */
export async function prepareContainer(pod: PodEnvironment, spec: Container, image: PulledImage): Promise<Sandboxed> {
  const { context, podIP, sandbox } = pod;
  const { name, namespace = '' } = pod.pod.metadata;
  const root = join(pod.directory, 'containers', spec.name, 'root');
  const environment = environmentOf(pod.pod, spec, image.config, podIP, context.store);
  const command = commandOf(spec, image.config, environment);
  const layers = await pod.images.layers(image);
  await buildRoot(root, layers, sandbox.canShareFiles);
  // Who the user is stands in the image's own files. Only root could write to shared ones.
  const security = { ...pod.pod.spec.securityContext, ...spec.securityContext };
  const user = resolveUser(root, image.config.User ?? '', security);
  if (user.uid === 0 && security.runAsNonRoot === true) {
    throw new ContainerConfigError('container has runAsNonRoot and image will run as root');
  }
  if (sandbox.canShareFiles && user.uid === 0) await buildRoot(root, layers, false);
  await provideFile(root, '/etc/hosts', `127.0.0.1\tlocalhost\n${podIP}\t${name}\n`);
  await provideFile(root, '/etc/hostname', `${name}\n`);
  const [program = ''] = command;
  if (findProgram(root, program, environment) === undefined) {
    throw new Error(`failed to create containerd task: exec: "${program}": no such file or directory`);
  }
  const purpose = `container ${spec.name} of pod ${namespace}/${name}`;
  const workingDirectory = spec.workingDir ?? (image.config.WorkingDir || '/');
  const readOnlyRoot = security.readOnlyRootFilesystem === true;
  return { purpose, root, readOnlyRoot, command, environment, workingDirectory, user, mounts: mountsOf(pod, spec) };
}

function mountsOf({ directory }: PodEnvironment, spec: Container): Mount[] {
  return (spec.volumeMounts ?? []).map(({ name, mountPath, subPath }) => ({
    source: join(directory, 'volumes', name, subPath ?? ''),
    target: mountPath,
  }));
}
