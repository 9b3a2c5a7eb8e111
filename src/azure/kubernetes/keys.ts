import { randomBytes } from 'node:crypto';
import type { V1Secret } from '@kubernetes/client-node';
import type { ReleaseInput } from '../../deployment/activities.js';
import { isOfService, releaseName, SERVICE_LABEL, type Identity } from '../../deployment/names.js';
import type { Kubernetes } from './connection.js';
import { keysOf, keysSecret, NAMESPACE, withKeys, type ScoringKeys } from './manifests.js';
import { createOnce, isGoing, ownerOf, readIfPresent } from './objects.js';
import { readPublicService, selectedRelease } from './public-service.js';

/** Bytes of a new key: 256 bits, more than anyone can guess. */
const KEY_BYTES = 32;

/**
 * Makes the Secret with a release's keys, unless it is there. A new release has the keys of the live one, so that callers
 * notice nothing; the first one gets new keys.
 *
 * @throws SlipwayError `NameConflict` when a Secret of that name is not this service's
 */
export async function ensureKeys(kubernetes: Kubernetes, input: ReleaseInput): Promise<void> {
  const { core } = kubernetes;
  const { identity } = input;
  const name = releaseName(identity.service, input.image.releaseDigest);
  await createOnce<V1Secret>(identity, {
    kind: 'Secret',
    name,
    read: () => core.readNamespacedSecret({ name, namespace: NAMESPACE }),
    create: async () => {
      const keys = (await liveKeys(kubernetes, identity)) ?? { primary: newKey(), secondary: newKey() };
      return core.createNamespacedSecret({ namespace: NAMESPACE, body: keysSecret(input, keys) });
    },
  });
}

/** The keys of a release; undefined when it has none. */
export async function releaseKeys(kubernetes: Kubernetes, name: string): Promise<ScoringKeys | undefined> {
  const secret = await readIfPresent(() => kubernetes.core.readNamespacedSecret({ name, namespace: NAMESPACE }));
  return secret && keysOf(secret);
}

/**
 * What a rotation makes of two keys. `primary`: a new one, and what was primary is accepted as the secondary on; what was
 * secondary is not accepted any more. `secondary`: only that one is new.
 */
export function rotatedKeys({ primary }: ScoringKeys, which: keyof ScoringKeys): ScoringKeys {
  return which === 'primary' ? { primary: newKey(), secondary: primary } : { primary, secondary: newKey() };
}

/**
 * Gives every release of a service the same keys: the live one, and one that may become live by a switch or an undo. The
 * live one comes last, so that a repeat after a failure finds there what it found before.
 *
 * @throws an error of the API server (409) when someone else changed the keys in between
 */
export async function writeKeys(
  kubernetes: Kubernetes,
  identity: Identity,
  live: string,
  keys: ScoringKeys,
): Promise<void> {
  const { core } = kubernetes;
  const labelSelector = `${SERVICE_LABEL}=${identity.service}`;
  const { items } = await core.listNamespacedSecret({ namespace: NAMESPACE, labelSelector });
  const nameOf = ({ metadata }: V1Secret) => metadata?.name ?? '';
  const liveName = releaseName(identity.service, live);
  const secrets = items
    .filter((secret) => isOfService(ownerOf(secret), identity) && !isGoing(secret) && keysOf(secret) !== undefined)
    .sort((a, b) => Number(nameOf(a) === liveName) - Number(nameOf(b) === liveName));
  for (const secret of secrets) {
    // Written with the resource version that was read: the API server refuses it if the Secret changed in between.
    const body = withKeys(secret, keys);
    await core.replaceNamespacedSecret({ name: nameOf(secret), namespace: NAMESPACE, body });
  }
}

/** The keys that callers of the public Service use now. */
async function liveKeys(kubernetes: Kubernetes, { service }: Identity): Promise<ScoringKeys | undefined> {
  const found = await readPublicService(kubernetes, service);
  const live = found && selectedRelease(found);
  return live === undefined ? undefined : releaseKeys(kubernetes, releaseName(service, live));
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}
