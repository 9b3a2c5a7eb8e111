import { resourceKey } from '../arm/resource-id.js';
import type { Collection } from '../core/documents.js';
import type { Emulator } from '../core/emulator.js';
import { roleDefinitionGuids, type RoleName } from './role-definitions.js';

/** A role assignment as it is kept. */
export interface RoleAssignment {
  id: string;
  name: string;
  scope: string;
  roleDefinitionId: string;
  principalId: string;
  principalType: string;
  description?: string;
  createdOn: string;
  /** From when on it takes effect. */
  effectiveFrom: string;
}

export function roleAssignments(emulator: Emulator): Collection<RoleAssignment> {
  return emulator.documents.collection<RoleAssignment>('role-assignments');
}

/** Whether a principal has a role at `scope` or above; false until the assignment has propagated. */
export function hasRole(
  emulator: Emulator,
  { principalId, role, scope }: { principalId: string; role: RoleName; scope: string },
): boolean {
  const now = emulator.clock.now().toISOString();
  const wanted = resourceKey(scope);
  return roleAssignments(emulator)
    .list()
    .some(
      (assignment) =>
        assignment.principalId === principalId &&
        assignment.roleDefinitionId.toLowerCase().endsWith(`/${roleDefinitionGuids[role]}`) &&
        `${wanted}/`.startsWith(`${resourceKey(assignment.scope)}/`) &&
        assignment.effectiveFrom <= now,
    );
}
