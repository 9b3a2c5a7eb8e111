// `npm run emulator` and `npm run worker`: one local part in this terminal, after the set-up.
import { withNode } from '../bin/node-version.mjs';

withNode(async () => {
  const { runAsScript } = await import('./commands.mjs');
  await runAsScript(import.meta, async ([part, ...args]) => {
    const { setup } = await import('./setup.mjs');
    await setup({ conversion: false });
    const { main } = await import('../dist/cli/main.js');
    return main([part, ...args]);
  });
});
