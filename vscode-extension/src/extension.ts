/** Puts the parts together. */
import * as vscode from 'vscode';

import { Preview } from './preview';
import type { Answer, Result, ServerCommand, SimilarParams, Status } from './protocol';
import { registerResultCommands } from './results/commands';
import { ResultList } from './results/model';
import { ResultsView } from './results/view';
import { History } from './search/history';
import { SearchPicker } from './search/picker';
import { Server, type ServerState } from './server';
import { LENS_COMMAND } from './settings';
import { SetUp } from './setUp';
import { Similar } from './similar';
import { showStatus } from './status/item';
import { showMenu } from './status/menu';
import { chooseDevice, chooseModel, runDoctor } from './tools';
import { welcome } from './welcome';

const WALKTHROUGH = 'codewhere.codewhere#start';

/** What other extensions may use. */
export interface Api {
  readonly state: ServerState;
  readonly status: Status | undefined;
  readonly onDidChange: vscode.Event<void>;
  search: (query: string, token: vscode.CancellationToken) => Promise<Answer>;
  /** The box of `codewhere: Search` while it is open. */
  readonly picker: SearchPicker | undefined;
  readonly results: ResultsView;
}

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const log = vscode.window.createOutputChannel('codewhere', { log: true });
  const environment = vscode.Uri.joinPath(context.globalStorageUri, 'environment').fsPath;
  const session = new Server(log, environment);
  server = session;
  const preview = new Preview();
  const view = new ResultsView(context.workspaceState);
  const similar = new Similar(session, view);
  const history = new History(context.workspaceState);
  const setUp = new SetUp(session, log, environment);
  let picker: SearchPicker | undefined;

  const keep = (answer: Answer): Promise<void> =>
    view.show(new ResultList(answer.query, answer, token => session.search({ query: answer.query }, token), answer.query));
  const findSimilar = (result: Result): Promise<void> => similar.ofResult(result);
  const actions = {
    keep, findSimilar,
    closed: (closed: SearchPicker) => { if (picker === closed) picker = undefined; },
  };
  const search = (query?: unknown): void => {
    picker?.dispose();
    picker = new SearchPicker(session, history, preview, actions, typeof query === 'string' && query ? query : undefined);
  };

  // The URI of a folder comes from our own menus; a key or another extension may give anything.
  const run = (command: ServerCommand) => (root?: unknown): Promise<void> => session.run(command, typeof root === 'string' ? root : undefined);

  const commands: Record<string, (...args: never[]) => unknown> = {
    'codewhere.search': search,
    'codewhere.search.openToSide': () => picker?.take(true),
    'codewhere.search.findSimilar': () => picker?.findSimilar(),
    'codewhere.search.keep': () => picker?.keep(),
    'codewhere.search.toggleTests': () => picker?.toggleTests(),
    'codewhere.search.forget': () => picker?.forget(),
    'codewhere.findSimilar': () => similar.ofEditor(),
    [LENS_COMMAND]: (uri: string, position: SimilarParams['position']) => similar.at(uri, position),
    'codewhere.showMenu': () => showMenu(session),
    'codewhere.setUp': () => setUp.run(),
    'codewhere.openWalkthrough': () => vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
    'codewhere.pause': run('pause'),
    'codewhere.resume': run('resume'),
    'codewhere.reindex': run('reindex'),
    'codewhere.restart': () => session.restart(),
    'codewhere.chooseModel': () => chooseModel(session),
    'codewhere.chooseDevice': chooseDevice,
    'codewhere.doctor': () => runDoctor(session, log),
    'codewhere.showLog': () => log.show(),
  };
  context.subscriptions.push(
    log, session, preview, view, showStatus(session),
    registerResultCommands(view, preview, { editQuery: search, findSimilar }),
    ...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(name, run)),
  );
  // VS Code's start does not wait for the server's.
  void session.restart().then(() => welcome(session.state, context.globalState));
  return {
    get state() { return session.state; },
    get status() { return session.status; },
    onDidChange: session.onDidChange,
    search: (query, token) => session.search({ query }, token),
    get picker() { return picker; },
    results: view,
  };
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
