/** The rows of the search box: answers, earlier questions, and ways out where there is no answer. */
import { l10n, QuickPickItemKind, ThemeIcon, type QuickInputButton, type QuickPickItem } from 'vscode';

import type { Answer, Result, RootStatus, Status } from '../protocol';
import { answerLine, iconOf, nameOf, placeOf } from '../result';
import type { ServerState } from '../server';
import { percent, timeLeft } from '../status/text';
import { filtersOf, withoutFilters } from './query';

export interface Row extends QuickPickItem {
  result?: Result;
  /** A question that takes the place of the one in the box. */
  query?: string;
  /** The command that this way out runs. */
  command?: string;
  /** The URI of the folder that the command is for; all of them where it is left out. */
  folder?: string;
}

/** What is known besides the answer. */
interface Situation {
  state: ServerState;
  failure: string;
  status: Status | undefined;
}

const TO_SIDE: QuickInputButton = { iconPath: new ThemeIcon('split-horizontal'), tooltip: l10n.t('Open to the Side (Ctrl+\\)') };
export const SIMILAR: QuickInputButton = { iconPath: new ThemeIcon('references'), tooltip: l10n.t('Find Similar (Shift+Alt+F)') };
export const FORGET: QuickInputButton = { iconPath: new ThemeIcon('close'), tooltip: l10n.t('Forget This Question (Shift+Delete)') };

/** The results, and at the end what there is to say about them: a folder that gave none, a filter that is unknown. */
export function answerRows({ results, notes }: Answer, folders: Map<string, string>): Row[] {
  return [...resultRows(results, folders), ...notes.map(text => note('info', text))];
}

/** One row for every result. `folders` maps a root's decoded URI to its name and is empty where only one folder is open. */
export function resultRows(results: Result[], folders: Map<string, string>): Row[] {
  return results.map(result => ({
    label: `$(${iconOf(result.kind)}) ${nameOf(result)}`,
    description: placeOf(result, folders.get(decodeURIComponent(result.root))),
    detail: answerLine(result),
    alwaysShow: true,
    buttons: [SIMILAR, TO_SIDE],
    result,
  }));
}

export function historyRows(questions: string[]): Row[] {
  if (questions.length === 0) return [note('lightbulb', l10n.t('Ask in your own words, for example: where is the retry delay computed'))];
  const rows = questions.map(query => ({ label: `$(history) ${query}`, alwaysShow: true, buttons: [FORGET], query }));
  return [{ label: l10n.t('earlier questions'), kind: QuickPickItemKind.Separator }, ...rows];
}

/** Why nothing can be asked now, with the way out; empty where the server answers. */
export function blockedRows({ state, failure }: Situation): Row[] {
  switch (state) {
    case 'running':
      return [];
    case 'starting':
      return [note('sync~spin', l10n.t('The server is starting. The answer comes as soon as it runs.'))];
    case 'restricted':
      return [
        note('shield', l10n.t('Nothing runs in Restricted Mode, because this folder is not trusted.')),
        way('workbench.trust.manage', 'shield', l10n.t('Manage Workspace Trust…')),
      ];
    case 'noFolder':
      return [note('folder', l10n.t('No folder is open.')), way('workbench.action.files.openFolder', 'folder-opened', l10n.t('Open Folder…'))];
    case 'notFound':
      return [note('warning', failure || l10n.t('The codewhere program was not found on this machine.')), way('codewhere.setUp', 'tools', l10n.t('Set Up codewhere…'))];
    case 'failed':
      return [
        note('error', l10n.t('The server does not run.'), failure),
        way('codewhere.restart', 'debug-restart', l10n.t('Restart the Server')),
        way('codewhere.showLog', 'output', l10n.t('Show the Log')),
        way('codewhere.setUp', 'tools', l10n.t('Set Up codewhere…')),
      ];
  }
}

/** Why an answer is empty, with the ways out. */
export function emptyRows(query: string, answer: Answer, status: Status | undefined): Row[] {
  const rows = [note('circle-slash', l10n.t('Nothing was found.'), answer.notes.join(' ')), ...filterRows(query)];
  const roots = status?.roots ?? [];
  rows.push(...roots.flatMap(rootRows));
  if (status?.modelState === 'loading') rows.push(note('sync~spin', l10n.t('The model is loading; until then words are searched, not meaning.')));
  if (status?.modelState === 'failed') rows.push(way('codewhere.chooseModel', 'warning', l10n.t('No model could be loaded, so only words are searched. Choose a Model…')));
  return rows;
}

function filterRows(query: string): Row[] {
  const filters = filtersOf(query);
  const rest = withoutFilters(query);
  if (filters.length === 0 || !rest) return [];
  return [{ label: `$(filter) ${l10n.t('Search without {0}', filters.join(' '))}`, alwaysShow: true, query: rest }];
}

function rootRows(root: RootStatus): Row[] {
  switch (root.state) {
    case 'indexing':
      return [note('sync~spin', l10n.t('{0}: {1} is indexed. This answer is renewed by itself.', root.name, percent(root.coverage)), timeLeft(root.etaSeconds))];
    case 'paused':
      return [way('codewhere.resume', 'debug-continue', l10n.t('{0}: indexing is paused at {1}. Resume', root.name, percent(root.coverage)), root.uri)];
    case 'error':
      return [way('codewhere.showLog', 'error', l10n.t('{0}: {1} Show the Log', root.name, root.message))];
    case 'idle':
      return root.functions > 0 ? [] : [way('codewhere.reindex', 'refresh', l10n.t('{0}: nothing is indexed. Index Now', root.name), root.uri)];
  }
}

export function note(icon: string, label: string, detail = ''): Row {
  return { label: `$(${icon}) ${label}`, alwaysShow: true, ...(detail && { detail }) };
}

function way(command: string, icon: string, label: string, folder?: string): Row {
  return { label: `$(${icon}) ${label}`, alwaysShow: true, command, ...(folder && { folder }) };
}
