import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Transfer } from '../../src/client.js';
import { renderUpload, renderUploaded, showUpload } from '../../src/cli/render/uploads.js';
import { keptTerminal } from '../fixtures/terminal.js';

const MB = 1_000_000;
const transfer = (moved: number, present = 0): Transfer => ({
  total: 24 * MB,
  present: present * MB,
  moved: moved * MB,
  parts: 4,
  partsPresent: present > 0 ? 1 : 0,
});

describe('an upload', () => {
  it.each([
    ['has not begun', transfer(0), 'Uploading flowers: 0 of 24 MB'],
    ['is under way', transfer(12), 'Uploading flowers: 12 of 24 MB, 3.0 MB/s'],
    ['skips what is there', transfer(12, 5), 'Uploading flowers: 12 of 19 MB, 3.0 MB/s; 5.0 MB are there already'],
  ])('that %s', (_case, state, text) => {
    expect(renderUpload('flowers', { transfer: state, startedAt: 0, now: 4_000 })).toBe(text);
  });

  it.each([
    ['sent all', transfer(24), 'Uploaded flowers: 24 MB in 4.0 s, 6.0 MB/s'],
    ['sent the rest', transfer(19, 5), 'Uploaded flowers: 19 MB in 4.0 s, 4.8 MB/s; 5.0 MB are there already'],
    ['found all', transfer(0, 24), 'Uploaded flowers: nothing to send, all 24 MB are there already'],
  ])('that %s has ended', (_case, state, text) => {
    expect(renderUploaded('flowers', { transfer: state, startedAt: 0, now: 4_000 })).toBe(text);
  });
});

describe('showing an upload', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  /** Uploads 24 MB in 80 seconds; a step a second. */
  async function slowly(onUpload: (transfer: Transfer) => void): Promise<string> {
    for (let second = 0; second <= 80; second++) {
      onUpload(transfer(0.3 * second));
      if (second < 80) await vi.advanceTimersByTimeAsync(1_000);
    }
    return 'done';
  }

  it('without a terminal is a line at its start, every 30 s and at its end', async () => {
    const { terminal, lines } = keptTerminal();
    expect(await showUpload('flowers', terminal, slowly)).toBe('done');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines()).toEqual([
      'Uploading flowers: 0 of 24 MB',
      'Uploading flowers: 8.7 of 24 MB, 300 kB/s',
      'Uploading flowers: 18 of 24 MB, 300 kB/s',
      'Uploaded flowers: 24 MB in 1 min 20 s, 300 kB/s',
    ]);
  });

  it('in a terminal is one line, drawn anew', async () => {
    const { terminal, written } = keptTerminal({ tty: true, columns: 30 });
    await showUpload('flowers', terminal, slowly);
    expect(written()).toContain('Reading the files of flowers');
    expect(written()).toContain('Uploading flowers: 12 of 24 M…');
    expect(written()).toMatch(/Uploaded flowers: 24 MB in 1 …\n[^\n]*$/);
  });

  it('that fails ends, and leaves the failure to the caller', async () => {
    const { terminal, lines } = keptTerminal();
    const failing = showUpload('flowers', terminal, (onUpload) => {
      onUpload(transfer(1));
      return Promise.reject(new Error('the line broke'));
    });
    await expect(failing).rejects.toThrow('the line broke');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines()).toEqual(['Uploading flowers: 1.0 of 24 MB, 1.0 GB/s']);
  });
});
