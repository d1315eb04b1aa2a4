/** The commands of the results view. */
import * as vscode from 'vscode';

import type { Preview } from '../preview';
import type { Result } from '../protocol';
import type { FunctionNode, Node } from './model';
import type { ResultsView } from './view';

interface Elsewhere {
  editQuery: (query: string) => void;
  findSimilar: (result: Result) => Promise<void>;
}

export function registerResultCommands(view: ResultsView, preview: Preview, elsewhere: Elsewhere): vscode.Disposable {
  const commands: Record<string, (node?: Node) => unknown> = {
    open: node => isFunction(node) && preview.open(node.result),
    openToSide: node => each(view, node, result => preview.open(result, true)),
    findSimilar: node => each(view, node, elsewhere.findSimilar),
    copy: node => vscode.env.clipboard.writeText(view.copyText(view.targets(node))),
    copyPath: node => vscode.env.clipboard.writeText(view.targets(node).map(pathOf).join('\n')),
    copyAll: () => vscode.env.clipboard.writeText(view.copyText(view.current?.functions() ?? [])),
    dismiss: node => view.dismiss(view.targets(node)),
    refresh: () => view.refresh(),
    editQuery: () => elsewhere.editQuery(view.current?.query ?? ''),
    viewAsList: () => view.setLayout(true),
    viewAsTree: () => view.setLayout(false),
    clear: () => view.clear(),
  };
  return vscode.Disposable.from(...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`codewhere.results.${name}`, run)));
}

function isFunction(node: Node | undefined): node is FunctionNode {
  return node?.type === 'function';
}

async function each(view: ResultsView, clicked: Node | undefined, run: (result: Result) => Promise<void>): Promise<void> {
  const first = view.targets(clicked).find(isFunction);
  if (first) await run(first.result);
}

function pathOf(node: Node): string {
  return vscode.Uri.parse(node.type === 'file' ? node.uri : node.result.uri).fsPath;
}
