/** The house's arrows (see docs/architecture.md): a room may use only what its row names. */
const rooms = {
  deployment: [],
  workflows: ['deployment'],
  activities: ['deployment', 'azure', 'image', 'scoring/client'],
  azure: ['deployment'],
  image: ['deployment'],
  'scoring/client': ['deployment', 'scoring/protos'],
  'scoring/server': ['deployment', 'scoring/protos'],
  'scoring/protos': [],
  emulator: [],
};

const escaped = (room) => room.replaceAll('/', '\\/');

const arrows = Object.entries(rooms).map(([room, allowed]) => ({
  name: `arrows-of-${room.replaceAll('/', '-')}`,
  comment: `src/${room} may import only itself${allowed.length ? ` and ${allowed.join(', ')}` : ''}`,
  severity: 'error',
  from: { path: `^src/${escaped(room)}/` },
  to: {
    path: '^src/',
    pathNot: [room, ...allowed].map((name) => `^src/${escaped(name)}/`),
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'workflows-are-deterministic',
      comment: 'workflow code runs in a sandbox and is replayed: only the workflow SDK and the vocabulary',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        dependencyTypesNot: ['type-only'],
        pathNot: ['^src/(workflows|deployment)/', 'node_modules/@temporalio/(workflow|common)/'],
      },
    },
    {
      name: 'digests-need-node',
      comment: 'digests.ts uses node:crypto, which the workflow sandbox does not have',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/deployment/(digests|identity)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'client-starts-workflows-by-type-only',
      comment: 'what a client script imports must not load workflow or activity code',
      severity: 'error',
      from: { path: '^src/client(\\.ts|/)' },
      to: { path: '^src/(workflows|activities)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-emulator-stands-alone',
      comment: 'product rooms reach the local Azure over HTTPS only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/emulator/' },
      to: { path: '^src/emulator/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
