import { randomInt } from 'node:crypto';
import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import getPort from 'get-port';
import { temporalSettings } from '../../client/temporal.js';
import { SlipwayError } from '../../deployment/errors.js';
import { home } from './home.js';
import { CHOSEN_PORTS, TEMPORAL_START_MS } from './limits.js';
import { startProcess, untilReady, type StartOptions } from './processes.js';
import { pythonEnvironment } from './python.js';

/** A Temporal server that is used. */
export interface LocalTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Address of its Web UI; unknown for a server that the environment names. */
  readonly ui?: string;
}

/** The server that Temporal's own environment configuration names, if it names one. */
export function configuredTemporal(): LocalTemporal | undefined {
  const { options, namespace, configured } = temporalSettings();
  return configured ? { address: options.address, namespace } : undefined;
}

/**
 * The configured server, or a dev server with Web UI and its database under `.slipway/temporal/`.
 *
 * @throws SlipwayError `TemporalNotFound` when there is no `temporal` program, `LocalPartFailed` when it does not start
 */
export async function startTemporal(options: StartOptions = {}): Promise<LocalTemporal> {
  const configured = configuredTemporal();
  if (configured) return configured;
  const directory = home('temporal');
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const uiPort = await freePort();
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', path.join(directory, 'temporal.db'), '--ui-disable-news-fetch', '--log-level', 'error'],
  ];
  const part = await startProcess({ name: 'temporal', command: await temporalProgram(), args }, options);
  const address = `127.0.0.1:${port}`;
  await untilReady(part, TEMPORAL_START_MS, () => answers(address), options.signal);
  return { address, namespace: 'default', ui: `http://127.0.0.1:${uiPort}` };
}

/** By chance, so that two who look at the same moment do not choose the same. */
function freePort(): Promise<number> {
  const { from, to, tries } = CHOSEN_PORTS;
  return getPort({ port: Array.from({ length: tries }, () => randomInt(from, to)) });
}

async function answers(address: string): Promise<true | undefined> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: '1s' });
    // The server answers before its default namespace is there.
    await connection.workflowService.describeNamespace({ namespace: 'default' }).finally(() => connection.close());
    return true;
  } catch {
    return undefined;
  }
}

/** `temporal` on the PATH, or the pinned one that the set-up installed. */
async function temporalProgram(): Promise<string> {
  const directories = (process.env['PATH'] ?? '').split(path.delimiter).filter((directory) => directory !== '');
  const { temporal: pinned } = await pythonEnvironment();
  for (const file of [...directories.map((directory) => path.join(directory, 'temporal')), pinned]) {
    const usable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return file;
  }
  throw new SlipwayError(
    'TemporalNotFound',
    'There is no `temporal` program on the PATH, and the pinned one is not installed',
    {
      fix: 'Run `npm run setup`, or set TEMPORAL_ADDRESS to a server that runs.',
    },
  );
}
