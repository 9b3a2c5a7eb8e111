// Bundles the scoring server into dist/scoring/runtime/app/: server.mjs, the module of its inference threads, and the two native
// packages it loads, pruned to what runs on this platform. Equal inputs give equal bytes: the result is an image layer.
import { cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inlineProtos } from './inline-protos.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const platform = { os: process.platform, arch: process.arch };

/** Packages that stay outside the bundle, with the files of each that run: the rest is for other platforms, GPUs and building. */
const NATIVE_PACKAGES = {
  'onnxruntime-node': ['dist/**.js', `bin/napi-v6/${platform.os}/${platform.arch}/*`],
  'onnxruntime-common': ['dist/cjs/**.js', 'dist/cjs/package.json'],
  '@julusian/jpeg-turbo': ['index.js', 'binding-options.js', `prebuilds/jpeg-turbo-${platform.os}-${platform.arch}/*`],
  'pkg-prebuilds': ['bindings.js', 'lib/**.js'],
};

/**
 * @param {string} app directory that is emptied and filled
 * @returns {Promise<{ bundleBytes: number, nativeBytes: number }>}
 */
export async function bundleScoring(app) {
  await rm(app, { recursive: true, force: true });
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: { server: 'src/scoring/server/main.ts', 'inference-thread': 'src/scoring/server/inference-thread.ts' },
    outdir: app,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: Object.keys(NATIVE_PACKAGES),
    plugins: [inlineProtos],
    // The gRPC services' packages bring an older one of their own, of the same interface.
    alias: { '@grpc/proto-loader': packageDirectory('@grpc/proto-loader') },
    // CommonJS packages inside an ES module bundle still call require for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    legalComments: 'eof',
    logLevel: 'warning',
  });
  await mkdir(app, { recursive: true });
  for (const file of outputFiles) {
    if (file.text.includes(repository)) throw new Error(`${file.path} holds the path of this machine`);
    await writeFile(file.path, file.contents);
  }
  for (const [name, patterns] of Object.entries(NATIVE_PACKAGES)) await copyPackage(name, patterns, app);
  const bundleBytes = outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
  return { bundleBytes, nativeBytes: await sizeOf(join(app, 'node_modules')) };
}

async function copyPackage(name, patterns, app) {
  const from = packageDirectory(name);
  const to = join(app, 'node_modules', name);
  const matches = patterns.map(
    (pattern) =>
      new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\*+/g, (stars) => (stars.length > 1 ? '.*' : '[^/]*'))}$`),
  );
  const files = (await filesIn(from)).filter((file) => matches.some((match) => match.test(file)));
  if (files.length === 0) throw new Error(`${name} has no files for ${platform.os}/${platform.arch}`);
  for (const file of ['package.json', ...files]) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await cp(join(from, file), join(to, file), { dereference: true });
  }
}

function packageDirectory(name) {
  const paths = createRequire(join(repository, 'package.json')).resolve.paths(name) ?? [];
  return join(paths[0], name);
}

/** Paths of all files, relative to the directory, sorted. */
async function filesIn(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1))
    .sort();
}

async function sizeOf(directory) {
  const sizes = (await filesIn(directory)).map(async (file) => (await stat(join(directory, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = resolve(process.argv[2] ?? join(repository, 'dist/scoring/runtime/app'));
  const { bundleBytes, nativeBytes } = await bundleScoring(app);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`scoring runtime: bundle ${megabytes(bundleBytes)}, native packages ${megabytes(nativeBytes)}`);
}
