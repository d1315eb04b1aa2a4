/** The menu behind the status bar item. */
import * as vscode from 'vscode';

import type { RootStatus } from '../protocol';
import type { Server } from '../server';
import { describeMachine, describeRoot, deviceName, sentence } from './text';

interface Entry extends vscode.QuickPickItem {
  command?: string;
  argument?: string;
}

export async function showMenu(server: Server): Promise<void> {
  const chosen = await vscode.window.showQuickPick(entries(server), { title: 'codewhere', placeHolder: summary(server), matchOnDescription: true });
  if (chosen?.command) await vscode.commands.executeCommand(chosen.command, ...(chosen.argument ? [chosen.argument] : []));
}

function summary({ state, failure, status }: Server): string {
  return status ? describeMachine(status) : sentence(state, failure);
}

function entries(server: Server): Entry[] {
  return [...folders(server), ...searching(), ...indexing(server), ...help(server)];
}

function folders({ status }: Server): Entry[] {
  return (status?.roots ?? []).map(root => ({ label: `$(folder) ${root.name}`, description: describeRoot(root) }));
}

function searching(): Entry[] {
  return [
    separator(vscode.l10n.t('search')),
    entry('search', vscode.l10n.t('Search…'), 'codewhere.search'),
    entry('list-tree', vscode.l10n.t('Show the Results View'), 'codewhere.results.focus'),
  ];
}

function indexing({ state, status }: Server): Entry[] {
  return [
    separator(vscode.l10n.t('index')),
    ...(state === 'running' ? [...pauseOrResume(status?.roots ?? []), entry('refresh', vscode.l10n.t('Index Again'), 'codewhere.reindex')] : []),
    entry('chip', vscode.l10n.t('Choose a Model…'), 'codewhere.chooseModel', status?.model ?? ''),
    entry('server', vscode.l10n.t('Choose a Device…'), 'codewhere.chooseDevice', deviceName(status?.device ?? null)),
  ];
}

function help({ command }: Server): Entry[] {
  return [
    separator(vscode.l10n.t('help')),
    entry('debug-restart', vscode.l10n.t('Restart the Server'), 'codewhere.restart'),
    entry('output', vscode.l10n.t('Show the Log'), 'codewhere.showLog'),
    entry('pulse', vscode.l10n.t('Run the Doctor'), 'codewhere.doctor'),
    entry('tools', vscode.l10n.t('Set Up codewhere…'), 'codewhere.setUp', command ?? ''),
    { ...entry('gear', vscode.l10n.t('Settings'), 'workbench.action.openSettings'), argument: '@ext:codewhere.codewhere' },
    entry('book', vscode.l10n.t('Open the Walkthrough'), 'codewhere.openWalkthrough'),
  ];
}

/** For all folders first, then, where there are several, for each of them. */
export function pauseOrResume(roots: RootStatus[]): Entry[] {
  const paused = roots.filter(root => root.state === 'paused');
  return [
    ...(paused.length < roots.length ? [entry('debug-pause', vscode.l10n.t('Pause Indexing'), 'codewhere.pause')] : []),
    ...(paused.length > 0 ? [entry('debug-continue', vscode.l10n.t('Resume Indexing'), 'codewhere.resume')] : []),
    ...(roots.length > 1 ? roots.map(ofFolder) : []),
  ];
}

function ofFolder({ uri, name, state }: RootStatus): Entry {
  const only = state === 'paused'
    ? entry('debug-continue', vscode.l10n.t('Resume Indexing of {0}', name), 'codewhere.resume')
    : entry('debug-pause', vscode.l10n.t('Pause Indexing of {0}', name), 'codewhere.pause');
  return { ...only, argument: uri };
}

function entry(icon: string, label: string, command: string, description = ''): Entry {
  return { label: `$(${icon}) ${label}`, command, description };
}

function separator(label: string): Entry {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
