/** Exit codes, one for each thing an operator would look at. */
export const ExitCode = { crashed: 1, configuration: 2, model: 3, selfCheck: 4 } as const;

/** Why a server did not start; the process ends with the code. */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(
    readonly exitCode: number,
    phase: string,
    cause: unknown,
  ) {
    super(`${phase}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * Runs one part of the start.
 *
 * @param name of the part, for the log
 * @throws StartupError
 */
export async function step<T>(name: string, exitCode: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new StartupError(exitCode, name, error);
  }
}
