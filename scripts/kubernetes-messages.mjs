// Writes src/emulator/kubernetes/api/protobuf/messages.ts: how the kinds of the local Azure's clusters look in protobuf, from
// the Go types that kubectl's modules have at the version that test/witness/kubectl pins. Needs Go; run it when that changes.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { root } from './commands.mjs';

/** Packages by the name that other packages and our names call them; the names of core and meta need no prefix. */
const PACKAGES = {
  v1: ['k8s.io/api', 'core/v1', ''],
  metav1: ['k8s.io/apimachinery', 'pkg/apis/meta/v1', ''],
  apps: ['k8s.io/api', 'apps/v1', 'apps.'],
  discovery: ['k8s.io/api', 'discovery/v1', 'discovery.'],
  autoscaling: ['k8s.io/api', 'autoscaling/v1', 'autoscaling.'],
};

/** What clients send: the kinds that are there, and what goes with calls for them. */
const ROOTS = [
  ...['Namespace', 'Node', 'Pod', 'Service', 'Endpoints', 'Secret', 'ConfigMap', 'Event'].map((name) => ['v1', name]),
  ['apps', 'Deployment'],
  ['apps', 'ReplicaSet'],
  ['discovery', 'EndpointSlice'],
  ['autoscaling', 'Scale'],
  ['metav1', 'DeleteOptions'],
];

/** Go's types that have a form of their own in JSON, or one of its simple ones. */
const LEAVES = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  'types.UID': 'string',
  'metav1.Time': 'Time',
  'metav1.MicroTime': 'MicroTime',
  'metav1.FieldsV1': 'FieldsV1',
  'resource.Quantity': 'Quantity',
  'intstr.IntOrString': 'IntOrString',
};

/** What Go leaves out of JSON when it is zero, where it is told to. */
const SCALARS = ['string', 'bool', 'int', 'bytes'];

const FIELD = /^\t(\w+\s+)?(\S+)\s+`json:"([^",]*)(,\S*)?".* protobuf:"\w+,(\d+),.*"`/;

/** The types of a package: of a struct its lines, of others what they are made of. */
async function readPackage([module, folder]) {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
    cwd: path.join(root, 'test/witness/kubectl'),
  });
  const source = await readFile(path.join(JSON.parse(stdout).Dir, folder, 'types.go'), 'utf8');
  const structs = source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm);
  const others = source.matchAll(/^type (\w+) =? ?((?!struct\b)\S+)$/gm);
  return new Map([...structs, ...others].map(([, name, body]) => [name, body]));
}

const packages = Object.fromEntries(
  await Promise.all(Object.entries(PACKAGES).map(async ([name, from]) => [name, await readPackage(from)])),
);

/** A field's type in our notation: `[]` before that of items, `{}` before that of a map's values. */
function notation(from, type, messages) {
  const [prefix, name] = type.includes('.') ? type.split('.') : [from, type];
  const leaf = LEAVES[type] ?? LEAVES[`${prefix}.${name}`];
  if (leaf !== undefined) return leaf;
  if (type === '[]byte') return 'bytes';
  if (type.startsWith('[]')) return `[]${notation(from, type.slice(2), messages)}`;
  const map = /^map\[\w+\](.+)$/.exec(type)?.[1];
  if (map !== undefined) return `{}${notation(from, map, messages)}`;
  const body = packages[prefix]?.get(name);
  if (body === undefined) throw new Error(`${type} in ${from} is not known`);
  if (!body.includes('\n')) return notation(prefix, body, messages);
  return describe(prefix, name, messages);
}

/** Adds a message and those that it refers to. @returns its name */
function describe(from, name, messages) {
  const key = `${PACKAGES[from][2]}${name}`;
  if (messages.has(key)) return key;
  messages.set(key, '');
  const fields = packages[from]
    .get(name)
    .split('\n')
    .flatMap((line) => {
      const [, , type, json, options = '', id] = FIELD.exec(line) ?? [];
      if (id === undefined) return [];
      const noted = notation(from, type.replace(/^\*/, ''), messages);
      // In protobuf such a zero is there all the same. Behind a pointer it was meant.
      const isOmitted = SCALARS.includes(noted) && options.includes('omitempty') && !type.startsWith('*');
      return `${id}:${json}:${noted}${isOmitted ? '?' : ''}`;
    });
  messages.set(key, fields.join(' '));
  return key;
}

const messages = new Map();
for (const [from, name] of ROOTS) describe(from, name, messages);
const file = path.join(root, 'src/emulator/kubernetes/api/protobuf/messages.ts');
const source = [
  '// Written by scripts/kubernetes-messages.mjs from the Go types of Kubernetes.',
  '',
  '/**',
  ' * The messages of the API by name, each with its fields as `NUMBER:NAME:TYPE`. A field without a name is part of the object',
  ' * around it; `[]` comes before the type of items and `{}` before that of values; a `?` says that JSON has no empty ones.',
  ' */',
  `export const messages: Readonly<Record<string, string>> = ${JSON.stringify(Object.fromEntries([...messages].sort(([a], [b]) => (a < b ? -1 : 1))))};`,
].join('\n');
await writeFile(file, await format(source, { ...(await resolveConfig(file)), filepath: file }));
