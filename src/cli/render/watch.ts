import { createLogUpdate } from 'log-update';
import type { ChangeHandle, Snapshot } from '../../client.js';
import { renderChanges, renderHeartbeat } from './changes.js';
import { HEARTBEAT_MS } from './intervals.js';
import type { Terminal } from './terminal.js';
import { renderTree } from './tree.js';

/**
 * Shows a change until it has ended or `signal` is aborted.
 *
 * @returns the last look; `open` tells whether it still runs
 */
export async function showChange(
  handle: Pick<ChangeHandle, 'watch'>,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  const show = terminal.interactive ? redrawn(terminal) : lineByLine(terminal);
  let last: Snapshot | undefined;
  try {
    for await (const snapshot of handle.watch(signal ? { signal } : {})) {
      last = snapshot;
      show.update(snapshot);
    }
  } finally {
    show.done();
  }
  return last;
}

interface Show {
  update(snapshot: Snapshot): void;
  done(): void;
}

function redrawn({ stream, colors }: Terminal): Show {
  const log = createLogUpdate(stream);
  return {
    update: (snapshot) => log(renderTree(snapshot, Date.now(), stream.columns || 80, colors).join('\n')),
    done: () => log.done(),
  };
}

function lineByLine({ say, colors }: Terminal): Show {
  let previous: Snapshot | undefined;
  let saidAt = Date.now();
  return {
    update: (snapshot) => {
      const lines = renderChanges(previous, snapshot, colors);
      if (lines.length === 0 && Date.now() - saidAt >= HEARTBEAT_MS) lines.push(renderHeartbeat(snapshot, Date.now()));
      if (lines.length > 0) saidAt = Date.now();
      lines.forEach(say);
      previous = snapshot;
    },
    done: () => undefined,
  };
}
