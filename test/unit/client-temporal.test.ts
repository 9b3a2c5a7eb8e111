import { status } from '@grpc/grpc-js';
import { ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { askTemporal } from '../../src/client/temporal.js';

/** An error as Temporal's client throws it: its own, with the one of gRPC as the cause. */
const failing = (code: status) => (): Promise<never> => {
  const cause = Object.assign(new Error(`${code} as gRPC says it`), { code, details: '', metadata: {} });
  return Promise.reject(new ServiceError('Failed to describe workflow', { cause }));
};

describe('a question to a Temporal that answered before', () => {
  it.each([
    ['is not there', status.UNAVAILABLE],
    ['does not answer in time', status.DEADLINE_EXCEEDED],
  ])('says how to come back when it %s', async (_why, code) => {
    await expect(askTemporal(failing(code))).rejects.toMatchObject({
      code: 'TemporalUnreachable',
      fix: expect.stringContaining('slipway watch') as string,
    });
  });

  it('fails as it did otherwise', async () => {
    await expect(askTemporal(failing(status.PERMISSION_DENIED))).rejects.toBeInstanceOf(ServiceError);
    await expect(askTemporal(() => Promise.resolve('an answer'))).resolves.toBe('an answer');
  });
});
