import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRunning, startProcess, stopProcess } from '../../src/cli/local/processes.js';
import { discardRecord, OwnRecord, readRecord } from '../../src/cli/local/stack-record.js';

const OURS = { pid: 1, started: '10', command: 'up' } as const;
const THEIRS = { pid: 2, started: '20', command: 'demo' } as const;
const TEMPORAL = { address: '127.0.0.1:7233', namespace: 'default' };

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'slipway-record-'));
  vi.stubEnv('SLIPWAY_HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

describe('the record of what runs', () => {
  it('belongs to the first who claims it', () => {
    expect(OwnRecord.claim(OURS)).toBeDefined();
    expect(OwnRecord.claim(THEIRS)).toBeUndefined();
    expect(readRecord()?.owner).toEqual(OURS);
  });

  it('holds a part as soon as its process is there', async () => {
    const record = OwnRecord.claim(OURS);
    const part = await startProcess(
      { name: 'worker', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] },
      { onStart: (started) => record?.add(started) },
    );
    try {
      expect(readRecord()?.parts).toEqual([{ name: 'worker', pid: part.pid, started: part.started }]);
      expect(await isRunning(part)).toBe(true);
    } finally {
      await stopProcess(part, 1_000);
    }
    expect(await isRunning(part)).toBe(false);
  });

  it('lets others use the stack only while all of it is ready', () => {
    const record = OwnRecord.claim(OURS);
    expect(readRecord()?.temporal).toBeUndefined();
    record?.ready(TEMPORAL);
    expect(readRecord()?.temporal).toEqual(TEMPORAL);
    record?.stopping();
    expect(readRecord()?.temporal).toBeUndefined();
    record?.remove();
    expect(readRecord()).toBeUndefined();
  });

  it('is discarded only as it was read', () => {
    const abandoned = { owner: OURS, parts: [] };
    OwnRecord.claim(THEIRS);
    discardRecord(abandoned);
    expect(readRecord()?.owner).toEqual(THEIRS);
    discardRecord(readRecord());
    expect(OwnRecord.claim(OURS)).toBeDefined();
  });
});
