// Compiles src/scoring/protos/*.proto to src/scoring/protos/descriptor.ts, so that neither dist/ nor the bundle has to find
// .proto files at run time. Run it after a change to a .proto; a test fails when the two disagree.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import protobuf from 'protobufjs';

const protos = new URL('../src/scoring/protos/', import.meta.url);

/** @returns the TypeScript source of descriptor.ts */
export async function compileProtos() {
  const root = new protobuf.Root();
  root.loadSync(fileURLToPath(new URL('prediction_service.proto', protos)), { keepCase: true });
  const source = [
    '// Compiled from the .proto files beside this one by scripts/compile-protos.mjs.',
    `export const descriptor: object = ${JSON.stringify(root.toJSON())};`,
  ];
  return format(source.join('\n'), { parser: 'typescript', singleQuote: true, printWidth: 120 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('descriptor.ts', protos), await compileProtos());
}
