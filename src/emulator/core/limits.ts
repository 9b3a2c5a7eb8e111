/** Node fires a timer at once when its delay does not fit into 31 bits. */
export const longestTimerMs = 2 ** 31 - 1;

/** Resource Manager's own limit of a request body. */
export const longestBodyBytes = 4 * 1024 * 1024;

/** Resource ids come as one route parameter in some calls (role scopes); Azure ends ids at 1024 characters. */
export const longestParameter = 1024;

/** Older journal entries are dropped beyond this, from disk at the next start: a day of polling once a second. */
export const longestJournal = 100_000;

/** Lines of a collection's log from which on it is worth to leave out what is past. */
export const fewestLinesToCompact = 1_000;

/** How long a stopped child may take to end by itself before it is killed. */
export const childGraceMs = 3_000;

/** A process that is no child of ours tells nobody when it ends; this often we look. */
export const exitPollMs = 50;

/** Azurite was seen to need 1 s on two busy cores. */
export const azuriteStartMs = 30_000;

/** Azure's default interval is 15 s and more; the scaled clock makes that one second. */
export const retryAfterSeconds = 1;

/** Entra ID tokens of service principals live for about an hour. */
export const tokenLifetimeSeconds = 3_599;
