// `npm run demo`: everything from a fresh clone to a scored service and back.
import { withNode } from '../bin/node-version.mjs';

withNode(async () => {
  const { runAsScript, say } = await import('./commands.mjs');
  await runAsScript(import.meta, async (args) => {
    const { setup } = await import('./setup.mjs');
    say('setup: packages, Python environments, build');
    await setup();
    const { main } = await import('../dist/cli/demo/main.js');
    return main(args);
  });
});
