import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { SlipwayError } from '../deployment/errors.js';
import type { DeploymentSpec } from '../deployment/spec.js';
import type { SignatureDef, TensorInfo } from '../scoring/protos/messages.js';
import { savedModel, type MetaGraphDef, type SavedModel } from '../scoring/protos/saved-model.js';
import { closest } from '../deployment/closest.js';

/** What of a SavedModel a specification names. */
export type SelectedSignature = Pick<DeploymentSpec['model'], 'signature' | 'input' | 'outputs'>;

const GRAPH = 'saved_model.pb';
/** Tag of the graph that TensorFlow Serving loads. */
const SERVE_TAG = 'serve';
/** Type of an input that takes JPEGs. */
const ENCODED = 'DT_STRING';
/** Types of an input that takes images which the caller has decoded. */
const PIXEL_TYPES: readonly string[] = ['DT_FLOAT', 'DT_UINT8'];
/** What other formats are called, by their files' endings. */
const OTHER_FORMATS: Readonly<Record<string, string>> = {
  '.pbtxt': 'a SavedModel in text form, which TensorFlow Serving does not load',
  '.keras': 'a Keras model',
  '.h5': 'a Keras model',
  '.onnx': 'an ONNX model',
  '.tflite': 'a TensorFlow Lite model',
  '.pt': 'a PyTorch model',
  '.pth': 'a PyTorch model',
};
const EXPORT_FIX =
  'Name the directory that tf.saved_model.save or simple_save wrote; it holds saved_model.pb and variables/.';

/**
 * Checks a SavedModel before it is uploaded: its files are there, and it has the signature and the tensors that are named. The
 * rules are those of the conversion (conversion/load.py), which checks again what it gets. A tensor is named by its key in the
 * signature or by its name in the graph, with or without `:0`; a tensor that is not of the signature is refused there too.
 *
 * @throws SlipwayError `NotASavedModel`, `NotServable`, `SignatureNotFound`, `TensorNotFound`, `UnsupportedSignature`,
 *   `UnsupportedInput`, `DynamicImageSize`, `UnsupportedOutput`
 */
export async function checkSavedModel(directory: string, selected: SelectedSignature): Promise<void> {
  const graph = servingGraph(await readGraphs(directory), directory);
  checkSignature(graph.signature_def, selected);
  // TensorFlow's loader restores variables when the graph has a saver, and fails without their files.
  if (graph.saver_def?.restore_op_name) await requireVariables(directory);
}

async function readGraphs(directory: string): Promise<SavedModel> {
  const file = path.join(directory, GRAPH);
  const bytes = await readFile(file).catch(async () => {
    throw notASavedModel(await whyNot(directory));
  });
  if (bytes.length === 0) throw notASavedModel(`${file} is empty`, 'Export or copy the model again.');
  try {
    return savedModel.deserialize(bytes);
  } catch {
    const why = `${file} (${bytes.length} bytes) is cut off, or no SavedModel`;
    throw notASavedModel(why, 'Export or copy the model again.');
  }
}

/** Why a directory has no graph that can be read: as near to what was meant as can be told. */
async function whyNot(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => undefined);
  if (!found) {
    const beside: string[] = await readdir(path.dirname(directory)).catch(() => []);
    const near = closest(path.basename(directory), beside);
    return `${directory} does not exist${near === undefined ? '' : `; did you mean ${near}?`}`;
  }
  if (!found.isDirectory()) return `${directory} is a file; a SavedModel is a directory`;
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const other = entries.find(({ name }) => path.extname(name) in OTHER_FORMATS);
  if (other) return `${directory} holds no ${GRAPH}; ${other.name} is ${OTHER_FORMATS[path.extname(other.name)] ?? ''}`;
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const inside = await stat(path.join(directory, name, GRAPH)).catch(() => undefined);
    if (inside) return `${directory} holds no ${GRAPH}; did you mean ${path.join(directory, name)}?`;
  }
  return entries.length === 0 ? `${directory} is empty` : `${directory} holds no ${GRAPH}`;
}

function servingGraph({ meta_graphs }: SavedModel, directory: string): MetaGraphDef {
  const graph = meta_graphs.find(({ meta_info_def }) => meta_info_def?.tags.includes(SERVE_TAG));
  if (graph) return graph;
  const tags = [...new Set(meta_graphs.flatMap(({ meta_info_def }) => meta_info_def?.tags ?? []))];
  throw new SlipwayError(
    'NotServable',
    `No graph of ${directory} is tagged '${SERVE_TAG}'; there are ${listed(tags)}`,
    { fix: 'Export it for serving.' },
  );
}

function checkSignature(signatures: MetaGraphDef['signature_def'], selected: SelectedSignature): void {
  const { signature: name, input, outputs } = selected;
  const signature = signatures[name];
  if (!signature) {
    const names = Object.keys(signatures).filter((each) => !each.startsWith('__'));
    throw new SlipwayError('SignatureNotFound', `The SavedModel has no signature '${name}'; it has ${listed(names)}`, {
      fix: 'Set model.signature to one of these.',
    });
  }
  checkTensors(name, signature, selected);
  const inputs = Object.keys(signature.inputs);
  if (inputs.length !== 1) {
    throw new SlipwayError(
      'UnsupportedSignature',
      `Signature '${name}' has the inputs ${listed(inputs)}; one is supported`,
      {
        fix: 'Export a signature whose only input is the images.',
      },
    );
  }
  const images = tensorOf(signature.inputs, input);
  if (images && images.dtype !== ENCODED) requireImages(`Input '${input}' of signature '${name}'`, images);
  for (const output of outputs) {
    const outputType = tensorOf(signature.outputs, output)?.dtype;
    if (outputType === 'DT_FLOAT') continue;
    throw new SlipwayError(
      'UnsupportedOutput',
      `Output '${output}' of signature '${name}' is ${String(outputType)}; DT_FLOAT is supported`,
      { fix: 'Leave it out of model.outputs.' },
    );
  }
}

/** An input without JPEGs has to be a batch of images of one size. */
function requireImages(what: string, input: TensorInfo): void {
  const sizes = input.tensor_shape?.unknown_rank ? [] : (input.tensor_shape?.dim ?? []).map(({ size }) => size);
  const [batch, height, width, channels = 0] = sizes;
  const given = `${what} is ${String(input.dtype)} ${spokenShape(input)}`;
  // Exporters that were given one image write 1.
  const isBatch = sizes.length === 4 && (batch === -1 || batch === 1) && [1, 3].includes(channels);
  if (!PIXEL_TYPES.includes(String(input.dtype)) || !isBatch) {
    const supported = `${ENCODED} (JPEGs) or ${PIXEL_TYPES.join(' or ')} [?, height, width, 1 or 3] is supported`;
    throw new SlipwayError('UnsupportedInput', `${given}; ${supported}`, {
      fix: 'Export a signature that takes any number of images, as JPEGs or as tensors of one size.',
    });
  }
  if (height === -1 || width === -1) {
    throw new SlipwayError('DynamicImageSize', `${given}: the images have no fixed size`, {
      fix: 'Export a signature whose input states height and width.',
    });
  }
}

/** All that the signature lacks is told at once, with what it has. */
function checkTensors(name: string, { inputs, outputs }: SignatureDef, selected: SelectedSignature): void {
  const lacks: string[] = [];
  const members: string[] = [];
  if (!tensorOf(inputs, selected.input)) {
    lacks.push(`no input '${selected.input}'; its inputs are ${described(inputs)}`);
    members.push('model.input');
  }
  const missing = selected.outputs.filter((output) => !tensorOf(outputs, output));
  if (missing.length > 0) {
    lacks.push(`no output ${missing.map((output) => `'${output}'`).join(', ')}; its outputs are ${described(outputs)}`);
    members.push('model.outputs');
  }
  if (lacks.length === 0) return;
  throw new SlipwayError('TensorNotFound', `Signature '${name}' has ${lacks.join('. It has ')}`, {
    fix: `Set ${members.join(' and ')} to what it has.`,
  });
}

function tensorOf(tensors: SignatureDef['inputs'], name: string): TensorInfo | undefined {
  return Object.entries(tensors).find(
    ([key, tensor]) => name === key || name === tensor.name || `${name}:0` === tensor.name,
  )?.[1];
}

/** `images (images:0, DT_STRING [?])` */
function described(tensors: SignatureDef['inputs']): string {
  return listed(
    Object.entries(tensors).map(([key, info]) => `${key} (${info.name}, ${info.dtype} ${spokenShape(info)})`),
  );
}

/** `[?, 224, 224, 3]` */
function spokenShape({ tensor_shape }: TensorInfo): string {
  const sizes = tensor_shape?.dim.map(({ size }) => (size < 0 ? '?' : String(size))) ?? [];
  return !tensor_shape || tensor_shape.unknown_rank ? '[…]' : `[${sizes.join(', ')}]`;
}

/** The index and every shard of the variables. */
async function requireVariables(directory: string): Promise<void> {
  const variables = path.join(directory, 'variables');
  const names: string[] = await readdir(variables).catch(() => []);
  const shards = Number(/-of-(\d+)$/.exec(names.find((name) => name.startsWith('variables.data-')) ?? '')?.[1] ?? 1);
  const wanted = ['variables.index'];
  for (let shard = 0; shard < shards; shard++) wanted.push(`variables.data-${five(shard)}-of-${five(shards)}`);
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw notASavedModel(`${variables} lacks ${missing.join(' and ')}`, 'Export or copy the model again.');
}

function five(number: number): string {
  return String(number).padStart(5, '0');
}

function notASavedModel(why: string, fix = EXPORT_FIX): SlipwayError {
  return new SlipwayError('NotASavedModel', why, { fix });
}

function listed(names: readonly string[]): string {
  return names.length > 0 ? [...names].sort().join(', ') : 'none';
}
