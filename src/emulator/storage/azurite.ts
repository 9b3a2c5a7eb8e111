import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PipelineOptions } from '@azure/core-rest-pipeline';
import { BlobServiceClient, StorageSharedKeyCredential, type StoragePipelineOptions } from '@azure/storage-blob';
import type { Emulator } from '../core/emulator.js';
import { azuriteStartMs } from '../core/limits.js';

/** A running Azurite, which holds the blobs of one storage account. */
export interface Azurite {
  /** `https://127.0.0.1:PORT`, behind the proxy that clients see. */
  readonly url: string;
  /** Access past the proxy, with the account's key: what Azure's own machines do is in no client's journal. */
  readonly client: BlobServiceClient;
  readonly isRunning: () => boolean;
  /** Stops it and deletes its blobs. */
  readonly remove: () => Promise<void>;
}

/** Starts Azurite by its own entry point (through npx, a child would be left behind) and waits until it listens. */
export async function startAzurite(emulator: Emulator, account: string, key: string): Promise<Azurite> {
  const directory = join(emulator.options.state, 'azurite', account);
  mkdirSync(directory, { recursive: true });
  const { cert, key: certKey } = await emulator.certificates.server('127.0.0.1');
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, certKey, { mode: 0o600 });

  const entry = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const flags = ['--blobPort', '0', '--location', directory, '--cert', certFile, '--key', keyFile, '--oauth', 'basic'];
  const switches = ['--silent', '--disableProductStyleUrl', '--disableTelemetry', '--skipApiVersionCheck'];
  const child = emulator.processes.spawn(`blobs of ${account}`, process.execPath, [entry, ...flags, ...switches], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, AZURITE_ACCOUNTS: `${account}:${key}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await listeningAddress(child, join(directory, 'azurite.log'));
  const credential = new StorageSharedKeyCredential(account, key);
  // The storage client hands `tlsOptions` on to its core pipeline, though its own type does not list it.
  const options: StoragePipelineOptions & PipelineOptions = { tlsOptions: { ca: emulator.certificates.caPem } };
  const client = new BlobServiceClient(`${url}/${account}`, credential, options);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const remove = async (): Promise<void> => {
    await emulator.processes.stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  return { url, client, isRunning, remove };
}

async function listeningAddress(child: ChildProcess, logFile: string): Promise<string> {
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stderr?.pipe(log, { end: false });
  if (child.stdout === null) throw new Error('Azurite was started without a stdout');
  const lines = createInterface(child.stdout);
  const address = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      log.write(`${line}\n`);
      const url = /successfully listens on (\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`Azurite ended at once; see ${logFile}`)));
  const late = AbortSignal.timeout(azuriteStartMs);
  const timeout = once(late, 'abort').then(() => Promise.reject(new Error(`Azurite does not start; see ${logFile}`)));
  return Promise.race([address, ended, timeout]);
}
