import { runningStack } from '../local/stack.js';
import { signOf, elapsed } from '../render/symbols.js';
import { print, type Terminal } from '../render/terminal.js';
import { openSession } from '../session.js';

export interface StatusOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `slipway status [SERVICE]`: the local parts, and the newest change of each service. */
export async function status(
  service: string | undefined,
  options: StatusOptions,
  { dataColors, say }: Terminal,
): Promise<number> {
  const stack = await runningStack();
  const { client } = await openSession(options);
  try {
    const changes = (await client.listChanges()).filter(
      (change) => service === undefined || change.service === service,
    );
    const local = stack && { temporal: stack.temporal, azure: { endpoint: stack.azure.arm, ca: stack.azure.ca } };
    if (options.json) {
      print(JSON.stringify({ local: local ?? null, changes }));
      return 0;
    }
    if (local) {
      print(`Temporal     ${local.temporal.address}${local.temporal.ui ? `  UI ${local.temporal.ui}` : ''}`);
      print(`local Azure  ${local.azure.endpoint}  CA ${local.azure.ca}`);
    }
    for (const { service: name, change, state, startedAt, endedAt } of changes) {
      const sign = signOf(state === 'running' ? 'running' : state === 'completed' ? 'done' : 'failed', dataColors);
      const age = elapsed((endedAt ?? new Date()).getTime() - startedAt.getTime());
      print(`${sign} ${name.padEnd(24)} ${change.padEnd(9)} ${state.padEnd(11)} ${startedAt.toISOString()}  ${age}`);
    }
    if (changes.length === 0) say(service ? `Nothing is known of ${service}` : 'No service has been deployed');
    return 0;
  } finally {
    await client.close();
  }
}
