/** How far several files or blobs that are sent or fetched together are. */
export interface Transfer {
  /** Bytes in all. */
  readonly total: number;
  /** Bytes that were there already and are not moved again. */
  readonly present: number;
  /** Bytes that were moved so far. */
  readonly moved: number;
  /** Files or blobs in all. */
  readonly parts: number;
  /** Files or blobs that were there already. */
  readonly partsPresent: number;
}

/** Told at the start, and whenever more is there. */
export type OnTransfer = (transfer: Transfer) => void;

/** Adds up the parts of a transfer, which move side by side. */
export class TransferTally {
  private readonly total: number;
  private present = 0;
  private moved = 0;
  private partsPresent = 0;

  /** @param sizes of the parts, in bytes */
  constructor(
    private readonly sizes: readonly number[],
    private readonly onTransfer: OnTransfer = () => undefined,
  ) {
    this.total = sizes.reduce((sum, size) => sum + size, 0);
    this.tell();
  }

  /** A part need not be moved. */
  skip(bytes: number): void {
    this.present += bytes;
    this.partsPresent += 1;
    this.tell();
  }

  /** A part begins to move; what is returned is told how much of it has. */
  begin(): (bytes: number) => void {
    let counted = 0;
    return (bytes) => {
      this.moved += bytes - counted;
      counted = bytes;
      this.tell();
    };
  }

  private tell(): void {
    const { total, present, moved, partsPresent } = this;
    this.onTransfer({ total, present, moved, parts: this.sizes.length, partsPresent });
  }
}
