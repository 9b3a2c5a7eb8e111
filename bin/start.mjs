// What the command does once its Node is known to be new enough; see slipway.mjs.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(program))) {
  process.stderr.write('✗ Slipway is not built yet\n  fix: Run `npm run setup`.\n');
  process.exit(1);
}
const { main } = await import(program.href);

// Whoever reads our output may stop reading (`| head`): that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

process.exitCode = await main(process.argv.slice(2));
