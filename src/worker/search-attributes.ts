import type { ConnectionLike } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Logger } from 'pino';
import { SEARCH_ATTRIBUTES } from '../deployment/temporal.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = { KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD, BOOL: IndexedValueType.INDEXED_VALUE_TYPE_BOOL };
const TYPE_NAMES = { KEYWORD: 'Keyword', BOOL: 'Bool' };

/**
 * Registers Slipway's search attributes in the namespace. Where it may not, it says which command an administrator runs:
 * deployments work without them, and cannot be searched for.
 */
export async function registerSearchAttributes(
  connection: ConnectionLike,
  namespace: string,
  log: Logger,
): Promise<void> {
  const { operatorService } = connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in customAttributes));
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, TYPES[type]]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
    log.info(`registered the search attributes ${missing.map(([name]) => name).join(', ')}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(
      `search attributes are not registered (${reason}); an administrator runs: ${registrationCommand(namespace)}`,
    );
  }
}

/** The command that registers them by hand. */
export function registrationCommand(namespace: string): string {
  const attributes = Object.entries(SEARCH_ATTRIBUTES).map(
    ([name, type]) => `--name ${name} --type ${TYPE_NAMES[type]}`,
  );
  return `temporal operator search-attribute create --namespace ${namespace} ${attributes.join(' ')}`;
}
