/** How long nothing may be said in a log, in milliseconds: systems that run builds end what is silent. */
export const HEARTBEAT_MS = 30_000;

/** Pause between two drawings of a line in a terminal, in milliseconds: figures that change faster are not read. */
export const REDRAW_MS = 200;
