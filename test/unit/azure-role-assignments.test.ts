import { describe, expect, it } from 'vitest';
import { assignmentName } from '../../src/azure/role-assignments.js';

const REGISTRY = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acr';

describe('the name of a role assignment', () => {
  it('is a version 5 UUID', () => {
    expect(assignmentName(REGISTRY, 'p', 'u')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is what other implementations of RFC 9562 make of it', () => {
    expect(assignmentName('/subscriptions/s', 'p', 'u')).toBe('d9501483-267c-571f-88a8-83bfc1656eb1');
  });

  it('is the same however Azure writes the id', () => {
    expect(assignmentName(REGISTRY.toLowerCase(), 'p', 'u')).toBe(assignmentName(REGISTRY, 'p', 'u'));
  });

  it.each([
    [REGISTRY, 'p', 'other'],
    [REGISTRY, 'other', 'u'],
    [`${REGISTRY}2`, 'p', 'u'],
  ])('differs by registry, identity and service', (registry, principal, uid) => {
    expect(assignmentName(registry, principal, uid)).not.toBe(assignmentName(REGISTRY, 'p', 'u'));
  });
});
