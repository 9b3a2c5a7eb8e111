import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import type { SEARCH_ATTRIBUTES } from './temporal.js';

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

/** The search attributes that a workflow about a service starts with, whoever starts it. */
export function startingAttributes(service: string): SearchAttributePair[] {
  return [
    { key: KEYS.service, value: service },
    { key: KEYS.state, value: 'running' },
  ];
}
