/** One operation of Azure, and how the local Azure does it. Texts are Markdown. */
export interface ParityRow {
  readonly operation: string;
  /**
   * `real`: the same work is done. `emulated`: the same calls, shapes and states, and simplified work behind them. `absent`:
   * answered with 404 and logged. `added`: not in Azure.
   */
  readonly here: 'real' | 'emulated' | 'absent' | 'added';
  readonly deviations?: string;
  /** Test files that show it, by name without `.test.ts`. */
  readonly witnesses?: readonly string[];
}

/** The operations of a service. */
export interface ParitySection {
  readonly title: string;
  readonly rows: readonly ParityRow[];
}
