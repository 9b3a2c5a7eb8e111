import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const InventoryItem = z.object({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  /** The mark of who made it, where it has one. */
  owner: z.string().optional(),
  /** Content-addressed; may stay when its first user goes. */
  cache: z.boolean().optional(),
});
/** A live resource of the local Azure. */
export type InventoryItem = z.infer<typeof InventoryItem>;

const JournalEntry = z.object({
  seq: z.number(),
  time: z.iso.datetime(),
  service: z.string(),
  method: z.string(),
  path: z.string(),
  /** 0 where the connection was cut before a reply. */
  status: z.number(),
  requestId: z.string(),
  clientRequestId: z.string().optional(),
  /** What the call did to a resource; `kind` and `id` as in the inventory. */
  effect: z
    .object({ change: z.enum(['created', 'updated', 'deleted', 'unchanged']), kind: z.string(), id: z.string() })
    .optional(),
  /** The resource group whose removal took this resource along, where no client made this call. */
  cascadeOf: z.string().optional(),
  /** Name of the fault that hit the call. */
  fault: z.string().optional(),
});
/** A call that the local Azure answered. */
export type JournalEntry = z.infer<typeof JournalEntry>;

/** A rule by which the local Azure misbehaves; docs/emulator.md says what its parts mean. */
export interface FaultRule {
  readonly name: string;
  readonly match: {
    readonly service?: string;
    readonly method?: string;
    readonly path?: string;
    readonly nth?: number;
    readonly eachPath?: boolean;
    readonly state?: string;
    readonly probability?: number;
    readonly seed?: number;
  };
  /** How many calls it hits: 1 by default, 0 is all. */
  readonly times?: number;
  readonly when: 'before' | 'after' | 'operation';
  readonly then: {
    readonly status?: number;
    readonly code?: string;
    readonly message?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly delayMs?: number;
    readonly reset?: true;
    readonly truncate?: true;
    readonly stuck?: true;
    readonly relapse?: true;
  };
}

/** What a role lets its holder do, as Azure's role definitions say it. */
export interface Permission {
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
}

/**
 * Client of what the local Azure has beside Azure's own interfaces: inventory, journal, faults, clock, quotas, permissions.
 * Every method rejects with an Error that has the answer's text when the local Azure refuses.
 */
export class EmulatorAdmin {
  private readonly arm: string;
  private readonly ca: string;

  /** @param endpoints the address of Resource Manager, and the file of the certificate of its authority */
  constructor({ arm, ca }: { readonly arm: string; readonly ca: string }) {
    this.arm = arm;
    this.ca = readFileSync(ca, 'utf8');
  }

  /** Everything that lives, or that of which the owner contains `owner`. */
  async inventory(owner?: string): Promise<InventoryItem[]> {
    const query = owner === undefined ? '' : `?owner=${encodeURIComponent(owner)}`;
    const answer = await this.send('GET', `inventory${query}`);
    return z.object({ resources: z.array(InventoryItem) }).parse(answer).resources;
  }

  /** The calls after number `since`, oldest first. */
  async journal(since = 0): Promise<JournalEntry[]> {
    const answer = await this.send('GET', `journal?since=${since}`);
    return z.object({ entries: z.array(JournalEntry) }).parse(answer).entries;
  }

  /** The journal's newest number: pass it to {@link journal} to see what came after. */
  async lastSeq(): Promise<number> {
    return (await this.journal()).at(-1)?.seq ?? 0;
  }

  /** Adds a fault, or replaces the one of that name. */
  async inject(fault: FaultRule): Promise<void> {
    await this.send('POST', 'faults', fault);
  }

  /** How often each fault has fired, by its name. */
  async fired(): Promise<Record<string, number>> {
    const answer = await this.send('GET', 'faults');
    const { faults } = z.object({ faults: z.array(z.object({ name: z.string(), fired: z.number() })) }).parse(answer);
    return Object.fromEntries(faults.map(({ name, fired }) => [name, fired]));
  }

  async removeFault(name: string): Promise<void> {
    await this.send('DELETE', `faults/${encodeURIComponent(name)}`);
  }

  async clearFaults(): Promise<void> {
    await this.send('DELETE', 'faults');
  }

  /** Advances the clock: what falls due meanwhile happens now. */
  async advance(seconds: number): Promise<void> {
    await this.send('POST', 'clock', { advanceSeconds: seconds });
  }

  /** Sets how many cores a subscription may use in each region: of a family, or of all (`cores`). */
  async setQuota(name: string, limit: number): Promise<void> {
    await this.send('PUT', 'quotas', { name, limit });
  }

  async resetQuotas(): Promise<void> {
    await this.send('DELETE', 'quotas');
  }

  /** What the application may do, in place of what an owner may. */
  async setPermissions(permissions: readonly Permission[]): Promise<void> {
    await this.send('PUT', 'permissions', { permissions });
  }

  async resetPermissions(): Promise<void> {
    await this.send('DELETE', 'permissions');
  }

  /** @param path below `/_emulator/` */
  private send(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      // A connection that is kept would outlive a local Azure that is killed and started again.
      const options = { method, ca: this.ca, headers, agent: false };
      const call = request(`${this.arm}/_emulator/${path}`, options, (response) => {
        text(response).then((answer) => {
          if ((response.statusCode ?? 500) < 300) resolve(answer === '' ? undefined : JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${response.statusCode ?? ''} ${answer}`));
        }, reject);
      });
      call.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
