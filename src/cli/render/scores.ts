import type { Score } from '../../deployment/activities.js';
import { clip, type Colors } from './symbols.js';

/** Room for a label; longer ones are cut. */
const LABEL_WIDTH = 44;

/** The classes of each photo, best first. */
export function renderScores(scores: readonly Score[], colors: Colors): string[] {
  const labels = scores.flatMap(({ top5 }) => top5.map(({ label }) => label.length));
  const width = Math.min(LABEL_WIDTH, Math.max(0, ...labels));
  return scores.flatMap(({ image, top5 }) => [
    colors.bold(image),
    ...top5.map(({ index, label, confidence }) => {
      const share = `${(confidence * 100).toFixed(1)} %`.padStart(8);
      return `  ${share}  ${clip(label, width).padEnd(width)} ${colors.dim(String(index))}`.trimEnd();
    }),
  ]);
}
