// Builds dist/: TypeScript, the scoring server's bundle, the workflows' bundle. A stage whose sources have not changed since
// it last succeeded is skipped.
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, runAsScript, runPackage, say } from './commands.mjs';

const dist = path.join(root, 'dist');
const stampFile = path.join(dist, '.build.json');

/** Sources of each stage, in the order in which they run. Every stage also depends on the installed packages. */
const STAGES = [
  { name: 'typescript', sources: ['src', 'tsconfig.json', 'tsconfig.build.json'], make: compile },
  {
    name: 'scoring server',
    sources: ['src/scoring', 'src/deployment', 'scripts/bundle-scoring.mjs', 'scripts/inline-protos.mjs'],
    make: bundleScoring,
  },
  { name: 'workflows', sources: ['src/workflows', 'src/deployment'], make: bundleWorkflows },
];

/** Brings dist/ up to date. */
export async function build() {
  const before = await readStamp();
  const files = (await filesOf('src')).sort();
  // The compiler leaves the output of a source that is gone: a workflow or command that no longer exists would still load.
  const clean = before.files?.some((file) => !files.includes(file)) || before.stages === undefined;
  if (clean) await rm(dist, { recursive: true, force: true });
  const stages = clean ? {} : { ...before.stages };
  for (const { name, sources, make } of STAGES) {
    const fingerprint = await fingerprintOf([...sources, 'package-lock.json']);
    if (stages[name] === fingerprint) continue;
    say(`build: ${name}`);
    // What fails half-way leaves output behind that the sources, put back as they were, would not explain.
    delete stages[name];
    await writeStamp({ files, stages });
    await make();
    stages[name] = fingerprint;
    await writeStamp({ files, stages });
  }
}

async function compile() {
  await runPackage('typescript/bin/tsc', ['-p', 'tsconfig.build.json'], { quiet: true });
  const others = (await filesOf('src')).filter((file) => !/\.(ts|md)$/.test(file));
  for (const file of others) {
    const target = path.join(dist, path.relative('src', file));
    await mkdir(path.dirname(target), { recursive: true });
    await cp(path.join(root, file), target);
  }
}

async function bundleScoring() {
  const { bundleScoring: bundle } = await import('./bundle-scoring.mjs');
  await bundle(path.join(dist, 'scoring', 'runtime', 'app'));
}

async function bundleWorkflows() {
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const quiet = () => undefined;
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(dist, 'workflows/index.js'),
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: say, error: say },
  });
  await writeFile(path.join(dist, 'workflow-bundle.js'), code);
}

/** @param {string} entry file or directory, relative to the clone @returns {Promise<string[]>} its files */
async function filesOf(entry) {
  try {
    const found = await readdir(path.join(root, entry), { withFileTypes: true, recursive: true });
    return found
      .filter((item) => item.isFile())
      .map((item) => path.relative(root, path.join(item.parentPath ?? item.path, item.name)));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [entry];
    throw error;
  }
}

/** @param {string[]} entries */
async function fingerprintOf(entries) {
  const hash = createHash('sha256');
  for (const file of (await Promise.all(entries.map(filesOf))).flat().sort()) {
    hash.update(`${file}\0`).update(await readFile(path.join(root, file)));
  }
  return hash.digest('hex');
}

/** @returns {Promise<{ files?: string[], stages?: Record<string, string> }>} */
async function readStamp() {
  try {
    return JSON.parse(await readFile(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

/** @param {{ files: string[], stages: Record<string, string> }} stamp */
async function writeStamp(stamp) {
  await mkdir(dist, { recursive: true });
  await writeFile(stampFile, JSON.stringify(stamp));
}

await runAsScript(import.meta, () => build());
