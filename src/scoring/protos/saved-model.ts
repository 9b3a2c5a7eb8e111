import { definitionOf } from './definitions.js';
import type { Draft, SignatureDef } from './messages.js';

/** One graph of a SavedModel, without the graph. */
export interface MetaGraphDef {
  meta_info_def: { tags: string[] } | null;
  /** Present when the graph has variables. */
  saver_def: { restore_op_name: string } | null;
  signature_def: Record<string, SignatureDef>;
}

/** What `saved_model.pb` holds. */
export interface SavedModel {
  meta_graphs: MetaGraphDef[];
}

/** How a `saved_model.pb` is read (it throws for bytes that are none) and, by tests, written. */
export const savedModel = definitionOf('tensorflow.SavedModel') as unknown as {
  // proto-loader types every message as `object`: the shapes are those of the descriptor under the options in definitions.ts.
  serialize(this: void, message: Draft<SavedModel>): Buffer;
  deserialize(this: void, bytes: Buffer): SavedModel;
};
