/** A class and how sure the model is of it. */
export interface RankedClass {
  index: number;
  /** The index as text when there are no labels: ImageNet's names repeat, so the index is the key anyway. */
  label: string;
  /** The model's output for the class: a probability when the network ends in a softmax. */
  confidence: number;
}

/**
 * The `k` largest values of one row, largest first; of equal values the lower index comes first, as `tf.math.top_k` has it.
 *
 * @param values one row, a value for each class
 * @param labels label of each class, by index
 */
export function topK(values: Float32Array, k: number, labels?: readonly string[]): RankedClass[] {
  return Array.from(values, (confidence, index) => ({ index, label: labels?.[index] ?? String(index), confidence }))
    .sort((a, b) => b.confidence - a.confidence || a.index - b.index)
    .slice(0, k);
}
