// `npm run demo`: everything from a fresh clone to a scored service and back.
import { runAsScript, say } from './commands.mjs';
import { setup } from './setup.mjs';

await runAsScript(import.meta, async (args) => {
  say('setup: packages, Python environments, build');
  await setup();
  const { main } = await import('../dist/cli/demo/main.js');
  return main(args);
});
