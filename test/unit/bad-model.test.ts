import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSavedModel } from '../../src/client/saved-model.js';
import type { Draft } from '../../src/scoring/protos/messages.js';
import { savedModel, type MetaGraphDef } from '../../src/scoring/protos/saved-model.js';

/** Written by TensorFlow 2.21 for Python, with a graph, an object graph and an init op beside what is read. */
const OFFICIAL =
  '080112f1020a0f220573657276652a06322e32312e3012170a150a06696d61676573120b506c616365686f6c6465721a4c0a1073617665725f66696c656e616d653a30121b537461746566756c506172746974696f6e656443616c6c5f313a301a19537461746566756c506172746974696f6e656443616c6c5f3238022a3e0a155f5f73617665645f6d6f64656c5f696e69745f6f70122512230a155f5f73617665645f6d6f64656c5f696e69745f6f70120a0a044e6f4f701a0218012aaa010a0f73657276696e675f64656661756c741296010a350a06696d61676573122b0a1873657276696e675f64656661756c745f696d616765733a3010071a0d120b08ffffffffffffffffff0112410a0c6f75747075745f616c69617312310a19537461746566756c506172746974696f6e656443616c6c3a3010011a12120b08ffffffffffffffffff01120308e8071a1a74656e736f72666c6f772f73657276696e672f707265646963743a0a0a0822060a04726f6f74';

const tensor = (name: string, dtype: string, sizes: number[]) => ({
  name,
  dtype,
  tensor_shape: { dim: sizes.map((size) => ({ size })) },
});
const images = tensor('in:0', 'DT_STRING', [-1]);
const scores = tensor('out:0', 'DT_FLOAT', [-1, 1000]);

/** A SavedModel with a graph that serves these signatures. */
const serving = (signature_def: Draft<MetaGraphDef['signature_def']>, tags = ['serve']): Buffer =>
  savedModel.serialize({ meta_graphs: [{ meta_info_def: { tags }, signature_def }] });

/** One whose only input is of this type and shape. */
const taking = (dtype: string, sizes: number[]): Buffer =>
  serving({ serving_default: { inputs: { images: tensor('in:0', dtype, sizes) }, outputs: { output_alias: scores } } });

const official = Buffer.from(OFFICIAL, 'hex');
const wanted = { signature: 'serving_default', input: 'images', outputs: ['output_alias'] };

describe('a SavedModel', () => {
  let root: string;
  let model: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'slipway-model-'));
    model = path.join(root, 'flowers');
  });
  afterEach(() => rm(root, { recursive: true }));

  const write = async (files: Record<string, string | Buffer>): Promise<void> => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), content);
    }
  };
  const variables = (...names: string[]) => Object.fromEntries(names.map((name) => [`flowers/variables/${name}`, '']));
  const whole = variables('variables.index', 'variables.data-00000-of-00001');

  it.each([
    ['signature keys', wanted],
    ['names of tensors', { ...wanted, input: 'serving_default_images:0', outputs: ['StatefulPartitionedCall:0'] }],
    [
      'names of tensors without :0',
      { ...wanted, input: 'serving_default_images', outputs: ['StatefulPartitionedCall'] },
    ],
  ])('that TensorFlow wrote is taken by %s', async (_how, selected) => {
    await write({ 'flowers/saved_model.pb': official, ...whole });
    await expect(checkSavedModel(model, selected)).resolves.toBeUndefined();
  });

  it('without variables is taken when its graph has none', async () => {
    await write({
      'flowers/saved_model.pb': serving({ serving_default: { inputs: { images }, outputs: { output_alias: scores } } }),
    });
    await expect(checkSavedModel(model, wanted)).resolves.toBeUndefined();
  });

  it.each([
    ['DT_FLOAT', [-1, 224, 224, 3]],
    ['DT_UINT8', [-1, 28, 28, 1]],
    ['DT_FLOAT', [1, 8, 8, 3]],
  ])('that takes images as %s is taken', async (dtype, sizes) => {
    await write({ 'flowers/saved_model.pb': taking(dtype, sizes) });
    await expect(checkSavedModel(model, wanted)).resolves.toBeUndefined();
  });

  it.each([
    ['that is not there', { 'flower/x': '' }, /flowers does not exist; did you mean flower\?/],
    ['that is a file', { flowers: '' }, /flowers is a file; a SavedModel is a directory/],
    ['whose directory is empty', {}, /flowers is empty/],
    ['without saved_model.pb', { 'flowers/readme.md': '' }, /flowers holds no saved_model\.pb$/],
    ['that lies one directory deeper', { 'flowers/1/saved_model.pb': official }, /did you mean .*flowers\/1\?/],
    ['that is a Keras model', { 'flowers/flowers.keras': '' }, /flowers\.keras is a Keras model/],
    ['in text form', { 'flowers/saved_model.pbtxt': '' }, /saved_model\.pbtxt is a SavedModel in text form/],
    ['whose saved_model.pb is empty', { 'flowers/saved_model.pb': '' }, /saved_model\.pb is empty/],
    [
      'whose saved_model.pb is cut off',
      { 'flowers/saved_model.pb': official.subarray(0, 300), ...whole },
      /saved_model\.pb \(300 bytes\) is cut off/,
    ],
    [
      'whose saved_model.pb is something else',
      { 'flowers/saved_model.pb': '<!doctype html><html>' },
      /is cut off, or no SavedModel/,
    ],
    [
      'without its variables',
      { 'flowers/saved_model.pb': official },
      /variables lacks variables\.index and variables\.data-00000-of-00001/,
    ],
    [
      'without a shard of its variables',
      { 'flowers/saved_model.pb': official, ...variables('variables.index', 'variables.data-00000-of-00002') },
      /variables lacks variables\.data-00001-of-00002/,
    ],
  ])('%s is refused', async (_what, files: Record<string, string | Buffer>, message) => {
    if (Object.keys(files).length === 0) await mkdir(model);
    await write(files);
    await expect(checkSavedModel(model, wanted)).rejects.toMatchObject({
      code: 'NotASavedModel',
      message: expect.stringMatching(message) as string,
      fix: expect.stringMatching(/saved_model\.pb|again/) as string,
    });
  });

  const one = { serving_default: { inputs: { images }, outputs: { output_alias: scores } } };
  it.each([
    ['no graph for serving', serving(one, ['train']), {}, 'NotServable', /tagged 'serve'; there are train$/, /Export/],
    [
      'no such signature',
      official,
      { signature: 'predict' },
      'SignatureNotFound',
      /no signature 'predict'; it has serving_default$/,
      /model\.signature/,
    ],
    [
      'no such input',
      official,
      { input: 'image' },
      'TensorNotFound',
      /no input 'image'; its inputs are images \(serving_default_images:0, DT_STRING \[\?\]\)$/,
      /model\.input/,
    ],
    [
      'no such output',
      official,
      { outputs: ['output_alias', 'logits'] },
      'TensorNotFound',
      /no output 'logits'; its outputs are output_alias \(StatefulPartitionedCall:0, DT_FLOAT \[\?, 1000\]\)$/,
      /model\.outputs/,
    ],
    [
      'neither the input nor the outputs',
      official,
      { input: 'x', outputs: ['y', 'z'] },
      'TensorNotFound',
      /no input 'x'.* no output 'y', 'z'/,
      /model\.input and model\.outputs/,
    ],
    [
      'several inputs',
      serving({
        serving_default: { inputs: { images, size: tensor('s:0', 'DT_INT32', []) }, outputs: { output_alias: scores } },
      }),
      {},
      'UnsupportedSignature',
      /the inputs images, size; one is supported/,
      /only input/,
    ],
    [
      'an input of whole numbers',
      taking('DT_INT32', [-1, 224, 224, 3]),
      {},
      'UnsupportedInput',
      /Input 'images' .* is DT_INT32 \[\?, 224, 224, 3\]; DT_STRING \(JPEGs\) or DT_FLOAT or DT_UINT8 \[\?, height/,
      /as JPEGs or as tensors/,
    ],
    ['an input of vectors', taking('DT_FLOAT', [-1, 2048]), {}, 'UnsupportedInput', /DT_FLOAT \[\?, 2048\]/, /tensors/],
    ['batches of one size', taking('DT_FLOAT', [16, 8, 8, 3]), {}, 'UnsupportedInput', /\[16, 8, 8, 3\]/, /any number/],
    ['colours in front', taking('DT_UINT8', [-1, 3, 8, 8]), {}, 'UnsupportedInput', /\[\?, 3, 8, 8\]/, /one size/],
    [
      'images of any size',
      taking('DT_FLOAT', [-1, -1, -1, 3]),
      {},
      'DynamicImageSize',
      /DT_FLOAT \[\?, \?, \?, 3\]: the images have no fixed size/,
      /height and width/,
    ],
    [
      'an output of numbers',
      serving({ serving_default: { inputs: { images }, outputs: { output_alias: { ...scores, dtype: 'DT_INT64' } } } }),
      {},
      'UnsupportedOutput',
      /Output 'output_alias' .* is DT_INT64; DT_FLOAT is supported/,
      /model\.outputs/,
    ],
  ])('with %s is refused with what it has', async (_what, graph, selected, code, message, fix) => {
    await write({ 'flowers/saved_model.pb': graph, ...whole });
    await expect(checkSavedModel(model, { ...wanted, ...selected })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      fix: expect.stringMatching(fix) as string,
    });
  });
});
