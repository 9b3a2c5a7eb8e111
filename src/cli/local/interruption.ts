/** Ctrl-C, or a plain kill, while something runs that must be cleaned up after. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

export interface Interruption {
  /** Aborted with {@link Interrupted}. */
  readonly signal: AbortSignal;
  /** The work's outcome, or `Interrupted` as soon as that happens. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Lets signals end the process again. */
  done(): void;
}

/** Catches SIGINT and SIGTERM until `done`, so that what was started can be stopped in its order. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const onSignal = (): void => controller.abort(new Interrupted());
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal,
    race: (work) =>
      Promise.race([
        work,
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Interrupted()))),
      ]),
    done: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
