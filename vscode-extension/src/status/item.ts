/** The status bar item. */
import * as vscode from 'vscode';

import type { Server } from '../server';
import { describeMachine, describeRoot, label, sentence } from './text';

const BACKGROUND = {
  plain: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

export function showStatus(server: Server): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('codewhere.status', vscode.StatusBarAlignment.Right, 50);
  item.name = 'codewhere';
  item.command = 'codewhere.showMenu';
  const update = (): void => {
    const { text, severity } = label(server.state, server.status);
    item.text = text;
    item.backgroundColor = BACKGROUND[severity];
    item.tooltip = tooltip(server);
    item.accessibilityInformation = { label: `codewhere: ${lines(server).join('. ')}`, role: 'button' };
    setContexts(server);
  };
  update();
  item.show();
  return vscode.Disposable.from(item, server.onDidChange(update));
}

function tooltip(server: Server): vscode.MarkdownString {
  const text = new vscode.MarkdownString('**codewhere**\n\n');
  for (const line of lines(server)) text.appendText(line).appendMarkdown('\n\n');
  return text;
}

function lines({ state, failure, status }: Server): string[] {
  if (!status) return [sentence(state, failure)];
  return [...status.roots.map(root => `${root.name}: ${describeRoot(root)}`), describeMachine(status)];
}

function setContexts({ state, status }: Server): void {
  const roots = status?.roots ?? [];
  const contexts = {
    'codewhere.running': state === 'running',
    'codewhere.notSetUp': state === 'notFound',
    'codewhere.canPause': roots.some(root => root.state !== 'paused'),
    'codewhere.canResume': roots.some(root => root.state === 'paused'),
    'codewhere.indexed': roots.some(root => root.functions > 0) && roots.every(root => root.coverage === 1 || root.functions === 0),
  };
  for (const [key, value] of Object.entries(contexts)) void vscode.commands.executeCommand('setContext', key, value);
}
