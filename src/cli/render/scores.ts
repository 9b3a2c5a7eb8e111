import type { Score } from '../../deployment/activities.js';
import { clip, type Colors } from './symbols.js';

const LABEL_WIDTH = 44;

/** The classes of each photo, best first. */
export function renderScores(scores: readonly Score[], colors: Colors): string[] {
  return scores.flatMap(({ image, top5 }) => [
    colors.bold(image),
    ...top5.map(({ index, label, confidence }) => {
      const share = `${(confidence * 100).toFixed(1)} %`.padStart(8);
      return `  ${share}  ${clip(label, LABEL_WIDTH).padEnd(LABEL_WIDTH)} ${colors.dim(String(index))}`.trimEnd();
    }),
  ]);
}
