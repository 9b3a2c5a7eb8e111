import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Emulator } from './emulator.js';
import { faultSchema } from './faults.js';

/** What must work for the emulator to call itself healthy, by name; a check that rejects says why. */
export type HealthChecks = Readonly<Record<string, () => Promise<void>>>;

const clockSchema = z.strictObject({ advanceSeconds: z.number().min(0) });
const inventoryQuery = z.object({ owner: z.string().optional(), ownerTag: z.string().optional() });
const journalQuery = z.object({ since: z.coerce.number().int().min(0).default(0) });

/** What tests and people look in with: health, inventory, journal, faults, clock. No sign-in: it is on loopback. */
export function registerAdmin(app: FastifyInstance, emulator: Emulator, checks: HealthChecks): void {
  app.get('/healthz', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    const healthy = results.every(([, result]) => result === 'ok');
    return reply
      .code(healthy ? 200 : 503)
      .send({ status: healthy ? 'ok' : 'unhealthy', checks: Object.fromEntries(results) });
  });

  app.get('/_emulator/inventory', async (request, reply) =>
    checked(inventoryQuery, request.query, reply, async ({ owner, ownerTag }) => ({
      resources: await emulator.inventory.list({ ...(owner && { owner }), ...(ownerTag && { ownerTag }) }),
    })),
  );

  app.get('/_emulator/journal', async (request, reply) =>
    checked(journalQuery, request.query, reply, ({ since }) => ({ entries: emulator.journal.since(since) })),
  );

  app.get('/_emulator/faults', async () => ({ faults: emulator.faults.list() }));
  app.post('/_emulator/faults', async (request, reply) =>
    checked(faultSchema, request.body, reply, (fault) => {
      emulator.faults.add(fault);
      return fault;
    }),
  );
  app.delete('/_emulator/faults', async (_request, reply) => {
    emulator.faults.remove();
    return reply.code(204).send();
  });
  app.delete<{ Params: { name: string } }>('/_emulator/faults/:name', async (request, reply) => {
    emulator.faults.remove(request.params.name);
    return reply.code(204).send();
  });

  app.post('/_emulator/clock', async (request, reply) =>
    checked(clockSchema, request.body, reply, ({ advanceSeconds }) => {
      emulator.clock.advance(advanceSeconds * 1000);
      return { now: emulator.clock.now().toISOString() };
    }),
  );
}

async function outcome(check: () => Promise<void>): Promise<string> {
  try {
    await check();
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function checked<T extends z.ZodType>(
  schema: T,
  value: unknown,
  reply: FastifyReply,
  answer: (value: z.output<T>) => unknown,
): Promise<unknown> {
  const result = schema.safeParse(value);
  if (result.success) return answer(result.data);
  return reply.code(400).send({ error: { code: 'InvalidRequestContent', message: z.prettifyError(result.error) } });
}
