// An esbuild plugin: the packages of gRPC's own services read their .proto files from beside their modules when they load,
// where a bundle has none. It puts the parsed files in their place.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import protobuf from 'protobufjs';

/** The call with which each module reads its .proto file, and where that file is, from the module. */
const READERS = [
  {
    module: /grpc-health-check\/build\/src\/health\.js$/,
    call: "loadSync)('health/v1/health.proto', ",
    inlined: 'fromJSON)',
    proto: '../../proto/health/v1/health.proto',
    keepCase: true,
  },
  ...['v1', 'v1alpha'].map((version) => ({
    module: new RegExp(`@grpc/reflection/build/src/implementations/reflection-${version}\\.js$`),
    call: 'loadSync(protoPath, ',
    inlined: 'fromJSON',
    proto: `../../proto/grpc/reflection/${version}/reflection.proto`,
    keepCase: false,
  })),
];

/** @type {import('esbuild').Plugin} */
export const inlineProtos = {
  name: 'inline-protos',
  setup: (build) =>
    READERS.forEach((reader) => build.onLoad({ filter: reader.module }, (args) => inline(args, reader))),
};

async function inline({ path: module }, { call, inlined, proto, keepCase }) {
  const source = await readFile(module, 'utf8');
  if (!source.includes(call)) throw new Error(`${module} no longer reads its .proto file by ${call}`);
  const root = new protobuf.Root().loadSync(path.join(path.dirname(module), proto), { keepCase });
  return {
    contents: source
      .replace(call, `${inlined}(${JSON.stringify(root.toJSON())}, `)
      // Only to find the file.
      .replaceAll('__dirname', "''"),
  };
}
