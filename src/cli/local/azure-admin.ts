import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Endpoints } from './azure.js';

/** A live resource of the local Azure. */
const Resource = z.object({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  owner: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

/** A rule by which the local Azure fails calls; see docs/emulator-parity.md. */
export interface Fault {
  readonly match: { readonly service: string; readonly method?: string; readonly path: string; readonly nth?: number };
  readonly when: 'before' | 'operation';
  readonly then: { readonly status?: number; readonly code: string; readonly message: string };
}

/** What of the local Azure is not Azure's: its inventory and its faults. */
export class AzureAdmin {
  private constructor(
    private readonly arm: string,
    private readonly ca: string,
  ) {}

  static async connect({ arm, ca }: Endpoints): Promise<AzureAdmin> {
    return new AzureAdmin(arm, await readFile(ca, 'utf8'));
  }

  /** Everything that lives. */
  async inventory(): Promise<Resource[]> {
    const answer = await this.call('GET', 'inventory');
    return z.object({ resources: z.array(Resource) }).parse(JSON.parse(answer)).resources;
  }

  /** Fails every call that matches, until it is removed. */
  async addFault(name: string, fault: Fault): Promise<void> {
    await this.call('POST', 'faults', { name, times: 0, ...fault });
  }

  async removeFault(name: string): Promise<void> {
    await this.call('DELETE', `faults/${encodeURIComponent(name)}`);
  }

  private call(method: string, path: string, body?: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.arm}/_emulator/${path}`,
        { method, ca: this.ca, headers: body === undefined ? {} : { 'content-type': 'application/json' } },
        (response) => {
          text(response).then((answer) => {
            if ((response.statusCode ?? 500) < 400) resolve(answer);
            else reject(new Error(`${method} ${path}: ${response.statusCode ?? ''} ${answer}`));
          }, reject);
        },
      );
      call.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
