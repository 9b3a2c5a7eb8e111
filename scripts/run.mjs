// `npm run emulator` and `npm run worker`: one local part in this terminal, after the set-up.
import { runAsScript } from './commands.mjs';
import { setup } from './setup.mjs';

await runAsScript(import.meta, async ([part, ...args]) => {
  await setup({ conversion: false });
  const { main } = await import('../dist/cli/main.js');
  return main([part, ...args]);
});
