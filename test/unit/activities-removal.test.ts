import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { removedSoFar, requireAbsence } from '../../src/activities/removal.js';
import { FailureType } from '../../src/deployment/errors.js';
import { someIdentity } from '../fixtures/release.js';

const removal = { identity: someIdentity(), scope: 'deployment' as const };
const attempt = { abortSignal: new AbortController().signal, number: 1, ageSeconds: 0, remainingSeconds: undefined };

/** An error with these members, for `toThrow`. */
const failureWith = (members: object) => expect.objectContaining(members) as Error;

describe('what a removal remembers', () => {
  it('is everything that one attempt removed', async () => {
    const removed = await new MockActivityEnvironment().run(async () => {
      removedSoFar(['a']);
      removedSoFar(['b', 'a']);
      return removedSoFar();
    });
    expect(removed).toEqual(['a', 'b']);
  });

  it('is handed to the next attempt by the heartbeat', async () => {
    const first = new MockActivityEnvironment();
    let details: unknown;
    first.on('heartbeat', (heartbeat: unknown) => (details = heartbeat));
    await first.run(async () => removedSoFar(['a', 'b']));

    const second = new MockActivityEnvironment({ heartbeatDetails: details });
    expect(await second.run(async () => removedSoFar(['c']))).toEqual(['a', 'b', 'c']);
  });
});

describe('the absence of what is to be removed', () => {
  it('is believed once no lost request can commit any more', () => {
    expect(() => requireAbsence({ ...removal, absentAfter: Date.now() - 1 }, 'the cluster', attempt)).not.toThrow();
    expect(() => requireAbsence(removal, 'the cluster', attempt)).not.toThrow();
  });

  it('is looked at again until then', () => {
    expect(() => requireAbsence({ ...removal, absentAfter: Date.now() + 5000 }, 'the cluster', attempt)).toThrow(
      failureWith({
        type: FailureType.StillPresent,
        message: expect.stringContaining('the cluster') as string,
      }),
    );
  });
});
