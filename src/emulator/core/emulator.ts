import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Operations } from '../arm/operations.js';
import { ResourceTypes } from '../arm/resource-types.js';
import { Tokens, type TokenClaims } from '../identity/tokens.js';
import { Certificates } from './certificates.js';
import { Clock } from './clock.js';
import { Documents } from './documents.js';
import { Faults } from './faults.js';
import { Inventory } from './inventory.js';
import { Journal } from './journal.js';
import { listen, type Listener, type ListenOptions } from './listener.js';
import type { EmulatorOptions } from './options.js';
import { Processes } from './processes.js';
import { openPlace, type Place } from './place.js';
import { ownState } from './state-owner.js';

export type { TokenClaims } from '../identity/tokens.js';
export type { Listener, ListenOptions } from './listener.js';
export type { EmulatorOptions } from './options.js';

/** What every emulated service is built on. */
export interface Emulator {
  readonly options: EmulatorOptions;
  readonly place: Place;
  readonly clock: Clock;
  readonly documents: Documents;
  readonly journal: Journal;
  readonly faults: Faults;
  /** Resource Manager's asynchronous operations. */
  readonly operations: Operations;
  /** Types of the resources that resource groups hold. */
  readonly resourceTypes: ResourceTypes;
  readonly inventory: Inventory;
  readonly certificates: Certificates;
  readonly tokens: Tokens;
  readonly processes: Processes;
  readonly log: pino.Logger;
  /** Opens an HTTPS listener with the hooks of journal and faults. It is closed with the emulator. */
  listen(
    service: string,
    configure: (app: FastifyInstance) => void | Promise<void>,
    options?: ListenOptions,
  ): Promise<Listener>;
  /** A signed access token for `audience` that speaks for the principal `objectId`. */
  issueToken(audience: string, objectId: string): string;
  /** The claims of an Authorization header, if its token is ours, alive and, where given, for that audience. */
  verifyToken(header: string | undefined, audience?: string): TokenClaims | undefined;
  /** Runs `fn` when the emulator stops; the last one registered first. Children are ended after all of these. */
  onClose(fn: () => Promise<void>): void;
}

export interface RunningEmulator extends Emulator {
  close(): Promise<void>;
}

/**
 * Opens the state directory, ends what a killed emulator left behind, and returns the ground that services register on. Throws when an
 * emulator runs on that state.
 */
export async function createEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  mkdirSync(options.state, { recursive: true });
  mkdirSync(options.cache, { recursive: true });
  const log = pino({ base: null }, pino.destination({ dest: join(options.state, 'emulator.log'), sync: true }));
  const documents = new Documents(join(options.state, 'documents'));
  const disownState = ownState(documents);
  const { place, address } = await openPlace(documents, options.place ?? {}, options.allowRemote ?? false);
  const clock = new Clock(documents, options.timeScale);
  const journal = new Journal(join(options.state, 'journal.jsonl'));
  const faults = new Faults(documents);
  const certificates = await Certificates.open(join(options.state, 'tls'));
  const tokens = new Tokens(documents, clock, place.tenantId);
  const processes = new Processes(documents);
  const stale = await processes.endStale();
  if (stale.length > 0) log.warn({ stale }, 'ended the children of an emulator that was killed');

  const closers: (() => Promise<void>)[] = [];
  return {
    options,
    place,
    clock,
    documents,
    journal,
    faults,
    operations: new Operations(documents, clock, log),
    resourceTypes: new ResourceTypes(),
    inventory: new Inventory(),
    certificates,
    tokens,
    processes,
    log,
    async listen(service, configure, listenOptions) {
      const context = { host: place.host, address, documents, clock, journal, faults, certificates, log };
      const listener = await listen(context, service, configure, listenOptions);
      closers.push(() => listener.close());
      return listener;
    },
    issueToken: (audience, objectId) => tokens.issue(audience, objectId),
    verifyToken: (header, audience) => tokens.verify(header, audience),
    onClose: (fn) => void closers.push(fn),
    async close() {
      clock.stop();
      for (const closer of closers.reverse()) await closer();
      await processes.stopAll();
      disownState();
    },
  };
}
