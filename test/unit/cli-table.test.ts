import { describe, expect, it } from 'vitest';
import { joinLogs } from '../../src/cli/commands/logs.js';
import { renderTable, resourceName, size, time } from '../../src/cli/render/table.js';

interface Boat {
  readonly name: string;
  readonly berth?: number;
  readonly note?: string;
}
const columns = [
  { title: 'boat', value: ({ name }: Boat) => name },
  { title: 'berth', value: ({ berth }: Boat) => berth },
  { title: 'flag', value: () => 'nl' },
];

describe('a table', () => {
  it('is as wide as what is in it, and says where there is nothing', () => {
    expect(renderTable(columns, [{ name: 'schooner', berth: 0 }, { name: 'raft' }])).toEqual([
      'BOAT      BERTH  FLAG',
      'schooner  0      nl',
      'raft      –      nl',
    ]);
  });

  it('has below a row what is too long for a column', () => {
    const details = ({ note }: Boat) => ({ note, 'the sails': 'red' });
    expect(renderTable(columns, [{ name: 'raft', note: 'adrift' }, { name: 'hulk' }], details)).toEqual([
      'BOAT  BERTH  FLAG',
      'raft  –      nl',
      '  note       adrift',
      '  the sails  red',
      'hulk  –      nl',
      '  the sails  red',
    ]);
  });
});

describe('what stands in a table', () => {
  it.each([
    [0, '0 B'],
    [812, '812 B'],
    [1000, '1.0 kB'],
    [14_249_000, '14.2 MB'],
    [2_500_000_000_000, '2500.0 GB'],
  ])('is a size: %i is %s', (bytes, text) => expect(size(bytes)).toBe(text));

  it('is a time in UTC', () => {
    expect(time(new Date('2026-09-01T12:15:00.123+02:00'))).toBe('2026-09-01 10:15:00Z');
  });

  it('is the name of a resource', () => {
    expect(resourceName('/subscriptions/s/resourceGroups/harbour/providers/P/t/boats')).toBe('boats');
    expect(resourceName(undefined)).toBeUndefined();
  });
});

describe('the logs of pods', () => {
  it.each([
    ['are as they are, of one', [{ pod: 'a', text: 'one\n\ntwo\n' }], 'one\n\ntwo\n'],
    [
      'say whose each line is, of several',
      [
        { pod: 'a', text: 'one\ntwo\n' },
        { pod: 'b', text: 'three' },
      ],
      '[a] one\n[a] two\n[b] three',
    ],
  ])('%s', (_what, pods, text) => expect(joinLogs(pods)).toBe(text));
});
