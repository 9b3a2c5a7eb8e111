import { classify } from '../azure/failures.js';
import { SlipwayError } from '../deployment/errors.js';

/**
 * Runs calls to Azure and gives their failures a code, a message and, where we know one, a way to mend them.
 *
 * @throws SlipwayError
 */
export async function asking<T>(calls: () => Promise<T>): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const { code, message, fix } = classify(error);
    throw new SlipwayError(code, message, { ...(fix === undefined ? {} : { fix }), cause: error });
  }
}
