import { isOperationPath } from './operation-wires.js';

/** Verb of the action that a method stands for; POST names its own. */
const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'delete',
};

/**
 * The action that a call needs permission for, as roles name it: `Microsoft.ContainerService/managedClusters/write`. Undefined
 * for what needs none, as asking how far an operation is.
 */
export function actionOf(method: string, path: string): string | undefined {
  if (isOperationPath(path)) return undefined;
  const parts = path.split('/').filter(Boolean);
  // Everybody may ask which subscriptions and tenants are theirs.
  if (parts.length === 1) return undefined;
  const last = parts.map((part) => part.toLowerCase()).lastIndexOf('providers');
  const [namespace, ...rest] = last < 0 ? ['Microsoft.Resources', ...parts] : parts.slice(last + 1);
  if (namespace === undefined) return undefined;
  // The provider itself, as a thing of its subscription.
  if (last >= 0 && rest.length === 0) return `Microsoft.Resources/subscriptions/providers/${verbs[method] ?? 'action'}`;
  const types = rest.filter((_part, index) => index % 2 === 0);
  if (method !== 'POST') return [namespace, ...types, verbs[method] ?? 'action'].join('/');
  return [namespace, ...types, 'action'].join('/');
}
