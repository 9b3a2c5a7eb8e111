import type { ListedModel, ListedModelVersion } from '../../client.js';
import { shortDigest } from '../../deployment/names.js';
import { renderDetails, renderTable, time, type Column } from '../render/table.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient, type SessionOptions } from '../session.js';

export interface ModelsOptions extends SessionOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

type Row = Pick<ListedModel, 'name' | 'role'> & ListedModelVersion;

const COLUMNS: readonly Column<Row>[] = [
  { title: 'model', value: ({ name }) => name },
  { title: 'version', value: ({ version, archived }) => (archived ? `${version} (archived)` : version) },
  { title: 'role', value: ({ role }) => role },
  { title: 'digest', value: ({ digest }) => digest && shortDigest(digest) },
  { title: 'created', value: ({ createdAt }) => time(createdAt) },
  { title: 'conversion', value: (version) => conversionOf(version) },
  { title: 'deployed', value: ({ deployed }) => deployed.map(spokenUse).join(', ') || undefined },
  { title: 'tags', value: ({ tags }) => spoken(tags) },
];

/** `slipway models`: the registered models of the workspace, version by version. */
export function listModels(options: ModelsOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { models, problems } = await client.listModels({ all: options.all ?? false });
    if (options.json) return print(JSON.stringify(models));
    const rows = models.flatMap(({ name, role, versions }) =>
      versions.map((version) => ({ name, ...(role ? { role } : {}), ...version })),
    );
    if (rows.length > 0) for (const line of renderTable(COLUMNS, rows)) print(line);
    else
      say(options.all ? 'The workspace has no model' : 'Slipway has registered no model; --all shows those of others');
    for (const problem of problems) say(`Not known: ${problem}`);
  });
}

/** `slipway models show NAME` */
export function showModel(name: string, options: Omit<ModelsOptions, 'all'>): Promise<number> {
  return withClient(options, async (client) => {
    const model = await client.getModel(name);
    if (options.json) return print(JSON.stringify(model));
    print([model.name, model.role, model.service && `of ${model.service}`].filter(Boolean).join(' '));
    for (const version of model.versions) {
      print(`version ${version.version}${version.archived ? ' (archived)' : ''}`);
      for (const line of renderDetails(detailsOf(version))) print(line);
    }
  });
}

function detailsOf(version: ListedModelVersion): Record<string, string | undefined> {
  const { description, digest, createdAt, url, tags, properties, deployed } = version;
  return {
    description,
    digest,
    created: time(createdAt),
    conversion: conversionOf(version),
    deployed: deployed.map((use) => `${spokenUse(use)}, release ${use.release}`).join('; ') || undefined,
    tags: spoken(tags),
    properties: spoken(properties),
    address: url,
  };
}

function conversionOf({ source, converted }: ListedModelVersion): string | undefined {
  if (source !== undefined) return `from ${source}`;
  return converted.length > 0 ? `to ${converted.join(', ')}` : undefined;
}

function spokenUse({ service, state }: ListedModelVersion['deployed'][number]): string {
  return `${service} (${state})`;
}

function spoken(tags: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(tags).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  return pairs.join(' ') || undefined;
}
