/** The results view: what was found stays in sight, as a tree of files or a list by score. */
import * as vscode from 'vscode';

import { folderNames } from '../folders';
import type { Answer, Result } from '../protocol';
import { answerLine, asText, iconOf, nameOf, placeOf, reasonOf } from '../result';
import { percent } from '../status/text';
import { resultsOf, type FileNode, type FunctionNode, type Node, type ResultList } from './model';

const AS_LIST = 'codewhere.resultsAsList';
const HAS_RESULTS = 'codewhere.hasResults';

export class ResultsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private list: ResultList | undefined;
  private roots: Node[] = [];
  private request = new vscode.CancellationTokenSource();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly view: vscode.TreeView<Node>;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly memory: vscode.Memento) {
    this.view = vscode.window.createTreeView('codewhere.results', { treeDataProvider: this, showCollapseAll: true, canSelectMany: true });
    this.setLayout(this.asList);
  }

  get current(): ResultList | undefined {
    return this.list;
  }

  /** The nodes on which a command works: those selected if the one clicked is among them, else that one. */
  targets(clicked?: Node): Node[] {
    const selected = this.view.selection;
    return clicked && !selected.includes(clicked) ? [clicked] : [...selected];
  }

  /** Shows results and moves there; the first one gets the focus. */
  async show(list: ResultList): Promise<void> {
    this.fill(list);
    await vscode.commands.executeCommand('codewhere.results.focus');
    const first = this.roots[0];
    if (first) await this.view.reveal(first.type === 'file' ? (first.functions[0] ?? first) : first, { focus: true, select: true });
  }

  /** Asks the same question again. */
  async refresh(): Promise<void> {
    const { list } = this;
    if (!list) return;
    this.request.cancel();
    this.request = new vscode.CancellationTokenSource();
    const { token } = this.request;
    const asked = vscode.window.withProgress({ location: { viewId: 'codewhere.results' } }, () => list.ask(token));
    const answer = await asked.then(undefined, (error: unknown) => {
      if (!token.isCancellationRequested) throw error;
    });
    if (!answer || token.isCancellationRequested || this.list !== list) return;
    list.answer = answer;
    this.fill(list);
  }

  dismiss(nodes: Node[]): void {
    for (const node of nodes) this.list?.dismiss(node);
    if (this.list) this.fill(this.list);
  }

  clear(): void {
    this.list = undefined;
    this.update();
  }

  setLayout(asList: boolean): void {
    void this.memory.update(AS_LIST, asList);
    void vscode.commands.executeCommand('setContext', AS_LIST, asList);
    this.update(asList);
  }

  copyText(nodes: Node[]): string {
    return nodes.flatMap(resultsOf).map(asText).join('\n\n');
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return node.type === 'file' ? fileItem(node) : functionItem(node, this.asList);
  }

  getChildren(node?: Node): Node[] {
    if (!node) return this.roots;
    return node.type === 'file' ? node.functions : [];
  }

  getParent(node: Node): Node | undefined {
    if (node.type === 'file' || this.asList) return undefined;
    return this.roots.find(root => root.type === 'file' && root.functions.includes(node));
  }

  dispose(): void {
    this.request.cancel();
    this.view.dispose();
    this.changed.dispose();
  }

  private get asList(): boolean {
    return this.memory.get(AS_LIST, false);
  }

  private fill(list: ResultList): void {
    this.list = list;
    this.update();
  }

  private update(asList = this.asList): void {
    const { list } = this;
    this.roots = list ? (asList ? list.functions() : list.files()) : [];
    this.view.message = list ? [list.title, messageOf(list.answer)].filter(Boolean).join(' • ') : '';
    void vscode.commands.executeCommand('setContext', HAS_RESULTS, list !== undefined);
    this.changed.fire();
  }
}

/** Empty where the results speak for themselves. */
function messageOf({ results, coverage, notes }: Answer): string {
  const parts = results.length === 0 ? [vscode.l10n.t('Nothing was found.'), ...notes] : [...notes];
  if (coverage < 1) parts.push(vscode.l10n.t('{0} was searched by meaning, the rest by words', percent(coverage)));
  return parts.join(' ');
}

function fileItem(file: FileNode): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.Uri.parse(file.uri), vscode.TreeItemCollapsibleState.Expanded);
  const folder = folderNames().get(decodeURIComponent(file.root));
  const place = file.path.split('/').slice(0, -1).join('/');
  item.description = [folder, place].filter(Boolean).join(' • ');
  item.iconPath = vscode.ThemeIcon.File;
  item.contextValue = 'codewhere.file';
  item.accessibilityInformation = { label: vscode.l10n.t('{0}, functions: {1}', file.path, file.functions.length) };
  return item;
}

function functionItem(node: FunctionNode, withPath: boolean): vscode.TreeItem {
  const { result } = node;
  const item = new vscode.TreeItem(nameOf(result));
  const place = placeOf(result, folderNames().get(decodeURIComponent(result.root)));
  item.description = withPath ? `${place} • ${answerLine(result)}` : answerLine(result);
  item.iconPath = new vscode.ThemeIcon(iconOf(result.kind), new vscode.ThemeColor(`symbolIcon.${themed(result.kind)}Foreground`));
  item.tooltip = tooltipOf(result, place);
  item.contextValue = 'codewhere.function';
  item.accessibilityInformation = { label: `${result.kind} ${nameOf(result)}, ${place}, ${answerLine(result)}` };
  item.command = { command: 'codewhere.results.open', title: vscode.l10n.t('Open'), arguments: [node] };
  return item;
}

/** The colour of a kind, as the outline of a file has it. */
function themed(kind: string): string {
  return iconOf(kind).startsWith('symbol-') ? iconOf(kind).slice('symbol-'.length) : 'text';
}

function tooltipOf(result: Result, place: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(place);
  tooltip.appendCodeblock(result.snippet.split('\n').slice(0, 12).join('\n'), result.language);
  tooltip.appendText(reasonOf(result));
  return tooltip;
}
