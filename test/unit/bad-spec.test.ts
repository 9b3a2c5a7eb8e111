import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSpec, readSpec } from '../../src/client/spec-file.js';
import type { SlipwayError } from '../../src/client.js';

const good = `service: flowers
model:
  path: model
smoke:
  photos:
    - path: rose.jpg
`;

/** The file with `text` in the place of `part`. */
const having = (part: string, text: string): string => good.replace(part, text);
const long = (length: number): string => 'a'.repeat(length);

describe('a deployment file', () => {
  let directory: string;
  let file: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-spec-'));
    file = path.join(directory, 'deployment.yaml');
  });
  afterAll(() => rm(directory, { recursive: true }));

  const refusal = async (text: string): Promise<SlipwayError> => {
    await writeFile(file, text);
    return readSpec(file).then(
      () => expect.fail('it was not refused'),
      (error: unknown) => error as SlipwayError,
    );
  };

  it('is refused with everything that is wrong with it, each with its line and column', async () => {
    const { code, message } = await refusal(`service: Flowers!
model:
  path: 3
smoke:
  photo:
    - path: rose.jpg
cluster:
  nodecount: 2
  existing: true
service: roses
`);
    expect(code).toBe('InvalidSpec');
    expect(message.split('\n')).toEqual([
      `${file}:`,
      '  line 3, column 9: model.path takes text, and 3 is a number: write it in quotes, "3"',
      '  line 5, column 3: smoke.photos is missing; it takes a list',
      '  line 5, column 3: smoke.photo is no member; did you mean photos?',
      '  line 8, column 3: cluster.nodecount is no member; did you mean nodeCount?',
      '  line 8, column 3: cluster.name is missing: an existing cluster is adopted by its name',
      '  line 10, column 1: service is written twice',
    ]);
  });

  it.each([
    // Members that are unknown
    ['a misspelt member', `${good}clustr: {}`, 'line 7, column 1: clustr is no member; did you mean cluster?'],
    [
      'two letters swapped',
      having('path: rose', 'paht: rose'),
      'smoke.photos[0].paht is no member; did you mean path?',
    ],
    [
      'a member in another group',
      `${good}nodeCount: 3`,
      'line 7, column 1: nodeCount is no member; did you mean cluster.nodeCount?',
    ],
    [
      'a member of nothing',
      having('- path: rose.jpg', '- path: rose.jpg\n      width: 3'),
      'line 7, column 7: smoke.photos[0].width is no member; there are path, expect',
    ],
    // Members that are missing
    ['no service', having('service: flowers\n', ''), 'line 1, column 1: service is missing; it takes text'],
    ['no smoke', good.slice(0, good.indexOf('smoke')), 'smoke is missing; it takes a group of members'],
    [
      'no photo',
      having('photos:\n    - path: rose.jpg', 'photos: []'),
      'line 5, column 11: smoke.photos takes at least 1 of them',
    ],
    ['an empty member', having('path: model', 'path:'), 'line 3, column 8: model.path is empty; it takes text'],
    [
      'neither path nor source',
      having('  path: model', '  name: lite'),
      'line 3, column 3: model needs exactly one of path',
    ],
    [
      'path and source',
      having('path: model', 'path: model\n  source: azureml:lite:1'),
      'model needs exactly one of path',
    ],
    [
      'an existing cluster without its name',
      `${good}cluster: { existing: true }`,
      'cluster.name is missing: an existing cluster is adopted by its name',
    ],
    // Values that are wrong
    [
      'a number as text',
      `${good}cluster:\n  kubernetesVersion: 1.30`,
      'line 8, column 22: cluster.kubernetesVersion takes text, and 1.30 is a number: write it in quotes, "1.30"',
    ],
    [
      'text as a number',
      `${good}cluster:\n  nodeCount: "3"`,
      'line 8, column 14: cluster.nodeCount takes a number, and is text ("3")',
    ],
    [
      'a broken number',
      `${good}patienceMinutes: 1.5`,
      'line 7, column 18: patienceMinutes takes a whole number, and is a number (1.5)',
    ],
    ['a number that is too small', `${good}keepReleases: 0`, 'keepReleases takes at least 1, and is 0'],
    [
      'a number that is too large',
      `${good}cluster: { nodeCount: 1001 }`,
      'line 7, column 23: cluster.nodeCount takes at most 1000, and is 1001',
    ],
    [
      'text as true or false',
      `${good}cluster: { existing: yes }`,
      'cluster.existing takes true or false, and is text ("yes")',
    ],
    ['none of the choices', `${good}onFailure: stop`, 'line 7, column 12: onFailure takes undo or keep, and is "stop"'],
    [
      'text as a group',
      having('model:\n  path: model', 'model: model'),
      'line 2, column 8: model takes a group of members, and is text ("model")',
    ],
    ['a list as text', having('flowers', '[flowers]'), 'line 1, column 10: service takes text, and is a list'],
    [
      'memory as CPU',
      `${good}scoring: { cpu: 1Gi }`,
      'scoring.cpu takes a Kubernetes quantity of CPU, such as 500m or 1; "1Gi" does not fit',
    ],
    [
      'CPU as memory',
      `${good}scoring: { memory: 500m }`,
      'scoring.memory takes a Kubernetes quantity of memory, such as 512Mi or 1Gi; "500m" does not fit',
    ],
    // The text itself
    ['nothing in it', '', 'line 1, column 1: the file is empty'],
    ['only comments', '# later\n', 'line 1, column 1: the file is empty'],
    ['a text', 'flowers', 'line 1, column 1: takes a group of members, and is text ("flowers")'],
    ['a bracket that is not closed', 'service: [flowers\nmodel: 3\n', 'line 2, column 1: '],
    ['a tab as indentation', 'model:\n\tpath: model\n', 'line 2, column 1: Tabs are not allowed as indentation'],
    [
      'an alias without its anchor',
      having('flowers', '*name'),
      'line 1, column 10: *name has no anchor &name before it',
    ],
    ['a second document', `${good}---\n${good}`, 'line 7, column 1: a second document begins here'],
    ['a key twice', `${good}service: roses\n`, 'line 7, column 1: service is written twice'],
  ])('with %s is refused', async (_what, text, problem) => {
    const { code, message, fix } = await refusal(text);
    expect({ code, message }).toEqual({ code: 'InvalidSpec', message: expect.stringContaining(problem) as string });
    expect(message).toContain(file);
    expect(fix).toContain('docs/spec.md');
  });

  it.each([
    ['service', having('flowers', 'Flowers'), /service takes lower-case letters.*"Flowers" does not fit/],
    ['service', having('flowers', long(41)), /at most 40 characters/],
    ['service', having('flowers', 'roses-'), /ending with a letter or digit/],
    [
      'cluster.name',
      `${good}cluster: { name: my.cluster }`,
      /cluster\.name takes letters, digits, - and _.*at most 63/,
    ],
    ['cluster.name', `${good}cluster: { name: ${long(64)} }`, /at most 63 characters/],
    ['cluster.name', `${good}cluster: { name: flowers_ }`, /ending with a letter or digit/],
    [
      'model.name',
      having('path: model', 'path: model\n  name: -lite'),
      /model\.name takes .*starting with a letter or digit/,
    ],
    ['model.name', having('path: model', `path: model\n  name: ${long(251)}`), /at most 250 characters/],
    ['model.source', having('path: model', 'source: lite:1'), /model\.source takes azureml:NAME:VERSION/],
    ['model.source', having('path: model', 'source: azureml:li/te:1'), /model\.source takes azureml:NAME:VERSION/],
    [
      'model.tags',
      having('path: model', 'path: model\n  tags: { "a<b": x }'),
      /line 4, column 11: model\.tags\.a<b is no name for it: .*none of < > %/,
    ],
    ['model.tags', having('path: model', `path: model\n  tags: { ${long(513)}: x }`), /1 to 512 characters/],
    ['model.tags', having('path: model', `path: model\n  tags: { a: ${long(257)} }`), /at most 256 characters/],
    [
      'model.tags',
      having('path: model', 'path: model\n  tags: { Azure-x: y }'),
      /does not begin with microsoft, azure or windows/,
    ],
    ['model.tags', having('path: model', 'path: model\n  tags: { slipway-owner: me }'), /slipway- are Slipway’s own/],
    [
      'model.tags',
      having('path: model', `path: model\n  tags:\n${Array.from({ length: 48 }, (_, n) => `    t${n}: x\n`).join('')}`),
      /model\.tags takes at most 47 tags/,
    ],
    [
      'model.properties',
      having('path: model', 'path: model\n  properties: { slipway-digest: x }'),
      /slipway- are Slipway’s own/,
    ],
    ['conversion.compute', `${good}conversion: { compute: my_gpu }`, /conversion\.compute takes letters, digits and -/],
    ['conversion.compute', `${good}conversion: { compute: ${long(33)} }`, /2 to 32 characters/],
    ['cluster.kubernetesVersion', `${good}cluster: { kubernetesVersion: v1.30 }`, /MAJOR\.MINOR/],
  ])('with a %s that Azure or Kubernetes would refuse is refused with the rule (%#)', async (_member, text, rule) => {
    const { code, message } = await refusal(text);
    expect(code).toBe('InvalidSpec');
    expect(message).toMatch(rule);
  });

  it.each([
    ['that is not there', 'deploymnet.yaml', 'FileNotFound', 'There is no file', 'deployment.yaml?'],
    ['whose directory is not there', 'none/other.yaml', 'FileNotFound', 'There is no file', 'Correct its path.'],
    ['that is a directory', 'sub', 'FileNotReadable', 'is a directory', 'Name the file itself.'],
  ])('%s is refused', async (_what, name, code, message, fix) => {
    await mkdir(path.join(directory, 'sub'), { recursive: true });
    await writeFile(file, good);
    const wrong = path.join(directory, name);
    await expect(readSpec(wrong)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(wrong) as string,
      fix: expect.stringContaining(fix) as string,
    });
    await expect(readSpec(wrong)).rejects.toThrow(message);
  });
});

it('a specification that a script wrote is refused with everything that is wrong with it', () => {
  const wrong = { service: 'Flowers', model: {}, smoke: { photos: [] } };
  const refusal = (): unknown => parseSpec(wrong, '.');
  expect(refusal).toThrow(/service takes [^]*model needs [^]*smoke\.photos takes/);
});
