import type { FloatTensor } from './tensors.js';

/** An object that a detector sees. The edges are shares of the photo, from its upper left corner. */
export interface DetectedBox {
  index: number;
  /** The index as text when there are no labels. */
  label: string;
  confidence: number;
  box: { ymin: number; xmin: number; ymax: number; xmax: number };
}

/** The outputs of a detector for one photo: `scores` [boxes, classes], `boxes` [boxes, 4] as ymin, xmin, ymax, xmax. */
export interface DetectorOutputs {
  scores: FloatTensor;
  boxes: FloatTensor;
}

/** Class of what is no object. */
const BACKGROUND = 0;

/** Boxes of one class that share more of their area than this mean the same object (Liu et al. 2016, 2.2). */
const SAME_OBJECT = 0.45;

/** The outputs by which a model is known as a detector; undefined for another model. */
export function detectorOutputs(outputs: Record<string, FloatTensor>): DetectorOutputs | undefined {
  const { scores, boxes } = outputs;
  if (scores?.shape.length !== 2 || boxes?.shape.length !== 2 || boxes.shape[1] !== 4) return undefined;
  return scores.shape[0] === boxes.shape[0] ? { scores, boxes } : undefined;
}

/**
 * The `k` surest objects of one photo, surest first. Of boxes of one class that cover each other only the surest counts.
 *
 * @param labels label of each class, by index; index 0 is the background
 */
export function topBoxes({ scores, boxes }: DetectorOutputs, k: number, labels?: readonly string[]): DetectedBox[] {
  const [, classes = 1] = scores.shape;
  const found: DetectedBox[] = [];
  const order = Array.from(scores.values.keys()).filter((at) => at % classes !== BACKGROUND);
  order.sort((a, b) => (scores.values[b] ?? 0) - (scores.values[a] ?? 0) || a - b);
  for (const at of order) {
    if (found.length === k) break;
    const index = at % classes;
    const row = Math.floor(at / classes) * 4;
    const [ymin = 0, xmin = 0, ymax = 0, xmax = 0] = boxes.values.subarray(row, row + 4);
    const box = { ymin, xmin, ymax, xmax };
    if (found.some((other) => other.index === index && overlap(other.box, box) > SAME_OBJECT)) continue;
    found.push({ index, label: labels?.[index] ?? String(index), confidence: scores.values[at] ?? 0, box });
  }
  return found;
}

type Box = DetectedBox['box'];

/** Intersection over union. */
function overlap(a: Box, b: Box): number {
  const height = Math.min(a.ymax, b.ymax) - Math.max(a.ymin, b.ymin);
  const width = Math.min(a.xmax, b.xmax) - Math.max(a.xmin, b.xmin);
  const shared = Math.max(0, height) * Math.max(0, width);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

function area({ ymin, xmin, ymax, xmax }: Box): number {
  return Math.max(0, ymax - ymin) * Math.max(0, xmax - xmin);
}
