import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** Where a SavedModel carries its own tags: beside the graph, where TensorFlow Serving looks at nothing. */
const TAGS = path.join('assets.extra', 'tags.json');

const Tags = z.record(z.string(), z.string());

/**
 * The tags that a SavedModel carries, as those that `slipway models build` makes do: what it is, and where its weights are
 * from. None where it carries none that can be read: they only inform.
 */
export async function readModelTags(savedModel: string): Promise<Readonly<Record<string, string>>> {
  const content = await readFile(path.join(savedModel, TAGS), 'utf8').catch(() => '{}');
  return Tags.catch({}).parse(parseJson(content));
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
