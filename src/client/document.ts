import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';

/** Where something stands in a file; both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a file: one line for a person. */
export interface Problem {
  /** `syntax`: what the rest of the file means is then a guess. */
  readonly kind?: 'syntax';
  readonly message: string;
  readonly at?: Position;
}

type Path = readonly PropertyKey[];

/** A YAML or JSON text, its value, and where in it each member stands. */
export class SourceDocument {
  private constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
    /** The value; undefined when the text is no YAML. */
    readonly value: unknown,
    /** What the text itself breaks: syntax, keys that are written twice. */
    readonly problems: readonly Problem[],
  ) {}

  static parse(text: string): SourceDocument {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const problems: Problem[] = document.errors.map(({ code, message, pos: [offset] }) => {
      const at = positionAt(offset, lines);
      if (code === 'DUPLICATE_KEY') return { message: `${keyAt(text, offset)} is written twice`, at };
      return { kind: 'syntax', message: code === 'MULTIPLE_DOCS' ? 'a second document begins here' : message, at };
    });
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document)) return;
        const at = positionAt(alias.range?.[0] ?? 0, lines);
        problems.push({ kind: 'syntax', message: `*${alias.source} has no anchor &${alias.source} before it`, at });
      },
    });
    const isReadable = problems.every(({ kind }) => kind !== 'syntax');
    return new SourceDocument(document, lines, isReadable ? document.toJS() : undefined, problems);
  }

  /** Position of a member's value, or of the innermost group around it that the file has. */
  positionOf(path: Path): Position {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = this.nodeAt(path.slice(0, depth));
      if (node?.range) return positionAt(node.range[0], this.lines);
    }
    return { line: 1, column: 1 };
  }

  /** Position of a member's name. */
  positionOfKey(path: Path): Position {
    const group = this.nodeAt(path.slice(0, -1));
    const pairs = isMap(group) ? group.items : [];
    const pair = pairs.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === path.at(-1));
    const key = pair?.key;
    return isScalar(key) && key.range ? positionAt(key.range[0], this.lines) : this.positionOf(path);
  }

  /** A member's value as it is written, for one that is no group or list. */
  sourceOf(path: Path): string | undefined {
    const node = this.nodeAt(path);
    return isScalar(node) ? node.source : undefined;
  }

  private nodeAt(path: Path): Node | undefined {
    const node = this.document.getIn(path, true);
    return isNode(node) ? node : undefined;
  }
}

function positionAt(offset: number, lines: LineCounter): Position {
  const { line, col: column } = lines.linePos(offset);
  return { line, column };
}

function keyAt(text: string, offset: number): string {
  return /^[^:\n]*/.exec(text.slice(offset))?.[0].trim() ?? '';
}

/** The problems of a file in its order, as lines. */
export function listProblems(file: string, problems: readonly Problem[]): string {
  const inOrder = [...problems].sort(
    (a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0),
  );
  const lines = inOrder.map(({ at, message }) => `${at ? `line ${at.line}, column ${at.column}: ` : ''}${message}`);
  return lines.length === 1 ? `${file}: ${lines[0] ?? ''}` : `${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
