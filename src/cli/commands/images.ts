import type { ListedImage } from '../../client.js';
import { renderTable, size, time, type Column } from '../render/table.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient, type SessionOptions } from '../session.js';

export interface ImagesOptions extends SessionOptions {
  readonly service?: string;
  readonly tag?: string;
  readonly json?: boolean;
}

const COLUMNS: readonly Column<ListedImage>[] = [
  { title: 'service', value: ({ service }) => service },
  { title: 'tag', value: ({ tag }) => tag },
  { title: 'version', value: ({ version }) => version },
  { title: 'state', value: ({ state }) => state },
  { title: 'created', value: ({ createdAt }) => time(createdAt) },
  { title: 'size', value: ({ bytes }) => (bytes === undefined ? undefined : size(bytes)) },
];

/** `slipway images` */
export function images(options: ImagesOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { service, tag } = options;
    const found = await client.listImages({ ...(service ? { service } : {}), ...(tag ? { tag } : {}) });
    if (options.json) return print(JSON.stringify(found));
    const details = ({ location, buildLog }: ListedImage) => ({ location, 'build log': buildLog });
    if (found.length > 0) for (const line of renderTable(COLUMNS, found, details)) print(line);
    else say('There is no such image');
    const problems = new Set(found.flatMap(({ problem }) => problem ?? []));
    for (const problem of problems) say(`Not known: ${problem}`);
  });
}
