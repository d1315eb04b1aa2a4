/** The results that the view holds: what was asked, what came, what was dismissed. */
import type { CancellationToken } from 'vscode';

import type { Answer, Result } from '../protocol';

/** Asks the same again. */
type Ask = (token: CancellationToken) => Promise<Answer>;

export interface FileNode {
  type: 'file';
  uri: string;
  path: string;
  root: string;
  functions: FunctionNode[];
}

export interface FunctionNode {
  type: 'function';
  result: Result;
}

export type Node = FileNode | FunctionNode;

export class ResultList {
  constructor(
    /** What the view says above the results. */
    readonly title: string,
    public answer: Answer,
    readonly ask: Ask,
    /** The question as it was typed; undefined where the results are neighbours of a function. */
    readonly query?: string,
  ) {}

  /** Best first. */
  functions(): FunctionNode[] {
    return this.answer.results.map(result => ({ type: 'function', result }));
  }

  /** Files in the order of their best function; inside a file best first. */
  files(): FileNode[] {
    const files = new Map<string, FileNode>();
    for (const node of this.functions()) {
      const { uri, path, root } = node.result;
      const file = files.get(uri) ?? { type: 'file', uri, path, root, functions: [] };
      file.functions.push(node);
      files.set(uri, file);
    }
    return [...files.values()];
  }

  dismiss(node: Node): void {
    const gone = new Set(resultsOf(node));
    this.answer = { ...this.answer, results: this.answer.results.filter(result => !gone.has(result)) };
  }
}

export function resultsOf(node: Node): Result[] {
  return node.type === 'function' ? [node.result] : node.functions.map(({ result }) => result);
}
