import type { ListedService, PastChange } from '../../client.js';
import { elapsed } from '../render/symbols.js';
import { renderTable, resourceName, time, type Column } from '../render/table.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient, type SessionOptions } from '../session.js';

export interface ListOptions extends SessionOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export interface HistoryOptions extends SessionOptions {
  readonly limit?: number;
  readonly json?: boolean;
}

const SERVICES: readonly Column<ListedService>[] = [
  { title: 'service', value: ({ service }) => service },
  { title: 'state', value: ({ state }) => state },
  { title: 'release', value: ({ release }) => release },
  { title: 'model', value: ({ model }) => model },
  { title: 'address', value: ({ address }) => address },
  { title: 'cluster', value: ({ cluster }) => resourceName(cluster) },
  { title: 'last change', value: ({ lastChange }) => lastChange && `${lastChange.change} ${lastChange.state}` },
  { title: 'at', value: ({ lastChange: last }) => last && time(last.endedAt ?? last.startedAt) },
];

const CHANGES: readonly Column<PastChange>[] = [
  { title: 'started', value: ({ startedAt }) => time(startedAt) },
  { title: 'change', value: ({ change }) => change },
  { title: 'end', value: ({ end, failure }) => (failure ? `${end}: ${failure.code}` : end) },
  {
    title: 'took',
    value: ({ startedAt, endedAt }) => elapsed((endedAt ?? new Date()).getTime() - startedAt.getTime()),
  },
  { title: 'deployment', value: ({ change, deploymentId }) => (change === 'deploy' ? deploymentId : undefined) },
  { title: 'release', value: ({ release }) => release?.replace('sha256:', '').slice(0, 12) },
  { title: 'model', value: ({ model }) => model },
  { title: 'started by', value: ({ startedBy }) => startedBy },
];

/** `slipway list`: the services of the workspace. */
export function list(options: ListOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const services = await client.listServices();
    const shown = options.all ? services : services.filter(({ state }) => state !== 'deleted');
    if (options.json) return print(JSON.stringify(shown));
    const hidden = services.length - shown.length;
    if (shown.length > 0) for (const line of renderTable(SERVICES, shown)) print(line);
    else say('No service is in this workspace');
    for (const { problem } of shown) if (problem !== undefined) say(`Not known: ${problem}`);
    if (hidden > 0) say(`${hidden} deleted; --all shows them`);
  });
}

/** `slipway history SERVICE` */
export function history(service: string, options: HistoryOptions): Promise<number> {
  return withClient(options, async (client) => {
    const { limit } = options;
    const changes = await client.listHistory(service, limit === undefined ? {} : { limit });
    if (options.json) return print(JSON.stringify(changes));
    for (const line of renderTable(CHANGES, changes)) print(line);
  });
}
