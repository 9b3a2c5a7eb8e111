import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { blobPath, type BlobStore } from '../azure/blobs.js';
import { createText } from '../azure/uploads.js';
import type { Image, ModelVersion } from '../deployment/activities.js';
import { CONVERTED_MANIFEST, ConvertedModelManifest } from '../deployment/converted-model.js';
import type { Identity } from '../deployment/names.js';
import { HOST_BASE, type ReleaseImage } from './release-image.js';

/** What was done to have an image in its repository. */
export interface Build {
  readonly identity: Identity;
  readonly image: Image;
  readonly content: Pick<ReleaseImage, 'layers' | 'config'>;
  readonly source: ModelVersion;
  readonly converted: ModelVersion;
  /** Directory of the converted model. */
  readonly model: string;
  /** Digests of the blobs that the registry did not have. */
  readonly sent?: ReadonlySet<string> | undefined;
  readonly startedAt: Date;
}

/** Versions of what converted a model and assembled its image, by name. */
type Tools = Readonly<Record<string, string>>;

/** Width of the column of names. */
const NAME_WIDTH = 14;

/**
 * Keeps how an image was built, beside the registry and not in it: times and what was there already differ from run to run,
 * and images of equal content are equal. The first build of an image is the one that is told.
 */
export async function keepBuildLog(store: BlobStore, build: Build, abortSignal: AbortSignal): Promise<void> {
  const { node, zlib } = process.versions;
  const log = renderBuildLog(build, { ...(await conversionTools(build.model)), node, zlib }, new Date());
  await createText(store, blobPath.buildLog(build.image.digest, build.identity), log, abortSignal);
}

/** The build log of an image, as people read it. */
export function renderBuildLog(build: Omit<Build, 'model'>, tools: Tools, endedAt: Date): string {
  const { identity, image, content, source, converted, sent, startedAt } = build;
  const blob = ({ digest, size }: { digest: string; size: number }) =>
    `${digest}, ${size} bytes, ${sent?.has(digest) ? 'sent' : 'already there'}`;
  const rows: (readonly [name: string, value: string])[] = [
    ['image', `${image.repository}@${image.digest}`],
    ['release', `${image.releaseDigest}, tag ${image.tag}`],
    ['service', `${identity.service}, deployment ${identity.deploymentId}`],
    ['source', spokenModel(source)],
    ['converted', spokenModel(converted)],
    ['base', `${HOST_BASE}: Node.js and the libraries that it links to, ${process.platform} ${process.arch}`],
    ...content.layers.flatMap((layer): [string, string][] => [
      [`layer ${layer.content}`, blob(layer)],
      ['', `uncompressed ${layer.diffId}`],
    ]),
    ['config', blob(content.config)],
    ['tools', spokenTools(tools)],
    ['built', `${endedAt.toISOString()}, in ${((endedAt.getTime() - startedAt.getTime()) / 1000).toFixed(1)} s`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${value}\n`).join('');
}

async function conversionTools(modelDirectory: string): Promise<Tools> {
  const manifest = await readFile(path.join(modelDirectory, CONVERTED_MANIFEST), 'utf8');
  return ConvertedModelManifest.parse(JSON.parse(manifest)).tools;
}

function spokenModel({ name, version, digest }: ModelVersion): string {
  return `${name} version ${version}, ${digest}`;
}

function spokenTools(tools: Tools): string {
  return Object.entries(tools)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
