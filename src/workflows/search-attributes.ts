import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { SEARCH_ATTRIBUTES } from '../deployment/temporal.js';

type Name = keyof typeof SEARCH_ATTRIBUTES;

function keyword(name: Name) {
  return defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
}

/** The search attributes, as typed keys; their names are what a worker registers. */
export const KEYS = {
  service: keyword('SlipwayService'),
  step: keyword('SlipwayStep'),
  state: keyword('SlipwayState'),
  residue: defineSearchAttributeKey('SlipwayResidue' satisfies Name, SearchAttributeType.BOOL),
};
