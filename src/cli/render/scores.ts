import type { PhotoScore } from '../../client.js';
import { clip, type Colors } from './symbols.js';

/** Room for a label; longer ones are cut. */
const LABEL_WIDTH = 44;

/** The classes or boxes of each photo, best first. */
export function renderScores(scores: readonly PhotoScore[], colors: Colors): string[] {
  const labels = scores.flatMap(({ classes, boxes }) => (classes ?? boxes).map(({ label }) => label.length));
  const width = Math.min(LABEL_WIDTH, Math.max(0, ...labels));
  const line = ({ confidence, label }: { confidence: number; label: string }, rest: string) =>
    `  ${percent(confidence).padStart(8)}  ${clip(label, width).padEnd(width)} ${colors.dim(rest)}`.trimEnd();
  return scores.flatMap(({ image, classes, boxes }) => [
    colors.bold(image),
    ...(classes
      ? classes.map((found) => line(found, String(found.index)))
      : boxes.map((found) => line(found, `${found.index}  ${edges(found.box)}`))),
  ]);
}

/** Edges of a box as shares of the photo. */
function edges({ xmin, xmax, ymin, ymax }: NonNullable<PhotoScore['boxes']>[number]['box']): string {
  return `x ${percent(xmin)} to ${percent(xmax)}, y ${percent(ymin)} to ${percent(ymax)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
