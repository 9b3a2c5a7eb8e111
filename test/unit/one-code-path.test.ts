import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** Rooms that run against Azure as they run here: only addresses, CA and credential may differ, and those come from outside. */
const PRODUCT = ['activities', 'azure', 'deployment', 'image', 'scoring', 'worker', 'workflows'];

it.each(PRODUCT)('src/%s does not know whether Azure is the local one', async (room) => {
  const entries = await readdir(path.join(source, room), { recursive: true });
  const files = entries.filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const text = await readFile(path.join(source, room, file), 'utf8');
    expect(text, file).not.toMatch(/emulator|127\.0\.0\.1|localhost/i);
  }
});
