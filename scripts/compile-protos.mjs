// Compiles src/scoring/protos/*.proto to src/scoring/protos/descriptor.ts, so that neither dist/ nor the bundle has to find
// .proto files at run time. Run it after a change to a .proto; with --check it fails when the two disagree.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import protobuf from 'protobufjs';

const protos = new URL('../src/scoring/protos/', import.meta.url);

/** @returns the TypeScript source of descriptor.ts */
async function compileProtos() {
  const root = new protobuf.Root();
  const files = ['serving.proto', 'saved_model.proto'].map((file) => fileURLToPath(new URL(file, protos)));
  root.loadSync(files, { keepCase: true });
  const source = [
    '// Compiled from the .proto files beside this one by scripts/compile-protos.mjs.',
    `export const descriptor: object = ${JSON.stringify(root.toJSON())};`,
  ];
  return format(source.join('\n'), { parser: 'typescript', singleQuote: true, printWidth: 120 });
}

const target = new URL('descriptor.ts', protos);
const compiled = await compileProtos();
if (!process.argv.includes('--check')) {
  await writeFile(target, compiled);
} else if ((await readFile(target, 'utf8')) !== compiled) {
  console.error('descriptor.ts is not what the .proto files say: run node scripts/compile-protos.mjs');
  process.exitCode = 1;
}
