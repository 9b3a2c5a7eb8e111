import { containerRegistry } from './container-registry.js';
import { containerService } from './container-service.js';
import { everything } from './everything.js';
import { kubernetes } from './kubernetes.js';
import { machineLearning } from './machine-learning.js';
import { resourceManager } from './resource-manager.js';
import type { ParityRow, ParitySection } from './section.js';

/** How the local Azure differs from Azure, service by service. */
export const parity: readonly ParitySection[] = [
  ...everything,
  ...resourceManager,
  ...machineLearning,
  ...containerService,
  ...kubernetes,
  ...containerRegistry,
];

const INTRODUCTION = `# The local Azure against Azure

What each operation does here, where it deviates, and the test that shows it. **Real**: the same work is done. **Emulated**: the
same calls, shapes and states; the work behind is simplified as said. **Absent**: answered with Azure's 404 for what it does not know, and logged as not emulated.
**Added**: not in Azure. Written by \`npm run docs:parity\` from \`src/emulator/parity/\`.
`;

/** `docs/emulator-parity.md`. */
export function parityDocument(): string {
  return [INTRODUCTION, ...parity.map(describe)].join('\n');
}

function describe({ title, rows }: ParitySection): string {
  const head = '| operation | here | deviations | test |\n| --- | --- | --- | --- |';
  return `## ${title}\n\n${[head, ...rows.map(describeRow)].join('\n')}\n`;
}

function describeRow({ operation, here, deviations = '', witnesses = [] }: ParityRow): string {
  const tests = witnesses.map((name) => `\`${name}\``).join(', ');
  return `| ${[operation, here, deviations, tests].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
