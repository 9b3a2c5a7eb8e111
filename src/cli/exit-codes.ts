/** What the command's exit code says. Stable: scripts branch on it. */
export const EXIT = {
  ok: 0,
  /** Wrong usage, or a fault of ours. */
  internal: 1,
  /** Refused before anything was created. */
  refused: 3,
  /** Failed or cancelled, and everything that was begun was undone. */
  undone: 4,
  /** Failed, and something is left: it is listed. */
  residue: 5,
  /** Temporal cannot be reached, does not let us in, or lacks the namespace. */
  unreachable: 6,
  /** Detached: the change goes on. */
  detached: 130,
} as const;
