/** `codewhere: Search`: a box that answers while one types. */
import * as vscode from 'vscode';

import { messageOf } from '../errors';
import { folderNames } from '../folders';
import type { Preview } from '../preview';
import type { Answer, Result } from '../protocol';
import type { Server } from '../server';
import { delay, previews } from '../settings';
import { overall, percent } from '../status/text';
import type { History } from './history';
import { isQuestion, toggleTests } from './query';
import { blockedRows, emptyRows, FORGET, historyRows, note, resultRows, SIMILAR, type Row } from './rows';

const PREVIEW_DELAY_MS = 80;
/** After this time the server has embedded what the question was about. */
const IMPROVE_DELAY_MS = 1000;
const OPEN = 'codewhere.searchOpen';

const KEEP: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('list-tree'), tooltip: vscode.l10n.t('Keep These Results in the Results View (Shift+Alt+K)') };
const TESTS: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('beaker'), tooltip: vscode.l10n.t('Leave Tests Out, or In (Shift+Alt+T)') };

/** What other parts do with a result, and what is done once the box is gone and the editors have come to rest. */
interface Actions {
  keep: (answer: Answer) => Promise<void>;
  findSimilar: (result: Result) => Promise<void>;
  closed: (picker: SearchPicker) => void;
}

export class SearchPicker implements vscode.Disposable {
  private readonly box = vscode.window.createQuickPick<Row>();
  private readonly disposables: vscode.Disposable;
  private request = new vscode.CancellationTokenSource();
  private timer: NodeJS.Timeout | undefined;
  private previewTimer: NodeJS.Timeout | undefined;
  private improveTimer: NodeJS.Timeout | undefined;
  /** Settles when the rows fit the question in the box. */
  private pending: Promise<void> | undefined;
  private answer: Answer | undefined;
  /** The question that is asked, or that will be. */
  private asked = '';
  /** Settles when the editors are as they shall be after the box. */
  private opening: Promise<void> | undefined;

  constructor(
    private readonly server: Server,
    private readonly history: History,
    private readonly preview: Preview,
    private readonly actions: Actions,
    query: string | undefined,
  ) {
    const { box } = this;
    box.placeholder = vscode.l10n.t('Describe the code you look for. Filters: lang:go path:src/ kind:class -tests "a phrase"');
    box.buttons = [TESTS, KEEP];
    box.matchOnDescription = false;
    // The server's order is the answer; VS Code would put rows first whose label happens to hold the words.
    Object.assign(box, { sortByLabel: false });
    this.disposables = vscode.Disposable.from(
      // VS Code also tells of a value that was set here.
      box.onDidChangeValue(value => { if (value !== this.asked) this.schedule(delay()); }),
      box.onDidChangeActive(([row]) => this.schedulePreview(row)),
      box.onDidAccept(() => void this.take(false)),
      box.onDidTriggerItemButton(({ button, item }) => void this.press(button, item)),
      box.onDidTriggerButton(button => void this.pressTitle(button)),
      box.onDidHide(() => void this.hidden()),
      server.onDidChange(() => this.renew()),
      // The box comes last, for as it goes it says once more that it is hidden.
      box,
    );
    box.value = query ?? history.last;
    this.schedule(0);
    box.show();
    void vscode.commands.executeCommand('setContext', OPEN, true);
  }

  /** Opens the row under the cursor, or runs it where it is a way out. Waits for the answer to what was typed last. */
  async take(toSide: boolean): Promise<void> {
    if (this.box.activeItems[0] === this.first && !(await this.answered())) return;
    const { row } = this;
    if (row) await this.follow(row, toSide);
  }

  /** For a row under the cursor, as its buttons do. */
  async findSimilar(): Promise<void> {
    const result = this.row?.result;
    if (result) await this.leave(() => this.actions.findSimilar(result));
  }

  forget(): void {
    const { row } = this;
    if (!row?.query || !row.buttons?.includes(FORGET)) return;
    this.history.remove(row.query);
    this.schedule(0);
  }

  /** Keeps the answer to what was typed last. */
  async keep(): Promise<void> {
    if (!(await this.answered())) return;
    const { answer } = this;
    if (answer?.results.length) await this.leave(() => this.actions.keep(answer));
  }

  toggleTests(): void {
    this.value = toggleTests(this.box.value);
  }

  dispose(): void {
    this.history.last = this.box.value;
    this.request.cancel();
    clearTimeout(this.timer);
    clearTimeout(this.previewTimer);
    clearTimeout(this.improveTimer);
    this.disposables.dispose();
  }

  /** The rows as they are, for other extensions and tests. */
  get rows(): readonly Row[] {
    return this.box.items;
  }

  /** The row under the cursor; VS Code tells it late where the rows are new. */
  get row(): Row | undefined {
    const { activeItems: [active], items } = this.box;
    return active && items.includes(active) ? active : this.first;
  }

  private get first(): Row | undefined {
    return this.box.items.find(({ kind }) => kind !== vscode.QuickPickItemKind.Separator);
  }

  set value(query: string) {
    this.box.value = query;
    this.schedule(delay());
  }

  /** Waits for the answer to what was typed last; false where the box was closed before it came. */
  private async answered(): Promise<boolean> {
    let waited;
    do {
      waited = this.pending;
      await waited;
    } while (waited !== this.pending);
    return !this.request.token.isCancellationRequested;
  }

  private async follow({ result, query, command }: Row, toSide: boolean): Promise<void> {
    if (result) {
      await this.open(result, toSide);
    } else if (query) {
      this.box.value = query;
      this.schedule(0);
    } else if (command) {
      await this.leave(() => vscode.commands.executeCommand(command));
    }
  }

  /** Asks again where a better answer may be there by now; a request on its way is left alone, for the status may change all the time. */
  private renew(): void {
    if (this.box.busy) return;
    if (!this.answer?.results.length) this.schedule(0, true);
    else if (this.mayImprove) this.improveTimer ??= setTimeout(() => void this.improve(), IMPROVE_DELAY_MS);
  }

  /** Whether some of the code had no vector yet when the answer was given, and nobody is choosing among its rows. */
  private get mayImprove(): boolean {
    return (this.answer?.coverage ?? 1) < 1 && this.row === this.first;
  }

  private async improve(): Promise<void> {
    const { token } = this.request;
    const query = this.box.value;
    const answer = this.mayImprove && !this.box.busy ? await this.server.search({ query }, token).catch(() => undefined) : undefined;
    this.improveTimer = undefined;
    if (answer?.results.length && !token.isCancellationRequested && this.mayImprove) this.present(answer, answerRows(answer), true);
  }

  private schedule(milliseconds: number, renewing = false): void {
    this.request.cancel();
    this.request = new vscode.CancellationTokenSource();
    this.asked = this.box.value;
    clearTimeout(this.timer);
    const { token } = this.request;
    this.box.busy = true;
    this.pending = new Promise(resolve => {
      token.onCancellationRequested(() => resolve());
      this.timer = setTimeout(() => void this.refresh(token, renewing).finally(resolve), milliseconds);
    });
  }

  private async refresh(token: vscode.CancellationToken, renewing: boolean): Promise<void> {
    const query = this.box.value;
    const blocked = blockedRows(this.server);
    if (blocked.length > 0 || !isQuestion(query)) {
      this.present(undefined, blocked.length > 0 ? blocked : historyRows(this.history.questions), renewing);
      return;
    }
    try {
      const answer = await this.server.search({ query }, token);
      if (token.isCancellationRequested) return;
      this.present(answer, answer.results.length > 0 ? answerRows(answer) : emptyRows(query, answer, this.server.status), renewing);
    } catch (error) {
      if (!token.isCancellationRequested) this.present(undefined, [note('error', messageOf(error))], renewing);
    }
  }

  /** Shows rows; with `renewing` the cursor stays where it is, for the person may be on the way to one of them. */
  private present(answer: Answer | undefined, rows: Row[], renewing: boolean): void {
    const { box } = this;
    this.answer = answer;
    box.busy = false;
    box.title = titleOf(answer, this.server);
    if (renewing && textOf(rows) === textOf(box.items)) return;
    const active = renewing && this.row !== this.first ? rows[box.items.findIndex(row => row === this.row)] : undefined;
    box.keepScrollPosition = renewing;
    box.items = rows;
    if (active) box.activeItems = [active];
  }

  private schedulePreview(row: Row | undefined): void {
    clearTimeout(this.previewTimer);
    if (!row || this.opening || !previews()) return;
    // A row that is no answer must not leave the answer before in sight.
    const show = (): Promise<void> => (row.result ? this.preview.show(row.result) : this.preview.stepBack());
    this.previewTimer = setTimeout(() => void show().catch(() => undefined), PREVIEW_DELAY_MS);
  }

  private async press(button: vscode.QuickInputButton, row: Row): Promise<void> {
    this.box.activeItems = [row];
    if (button === FORGET) this.forget();
    else if (button === SIMILAR) await this.findSimilar();
    else if (row.result) await this.open(row.result, true);
  }

  private async pressTitle(button: vscode.QuickInputButton): Promise<void> {
    if (button === TESTS) this.toggleTests();
    else await this.keep();
  }

  private async open(result: Result, toSide: boolean): Promise<void> {
    this.history.add(this.box.value);
    await this.finish(() => this.preview.open(result, toSide).catch(async (error: unknown) => {
      await this.preview.restore();
      void vscode.window.showErrorMessage(vscode.l10n.t('Cannot open {0}: {1}', result.path, messageOf(error)));
    }));
  }

  private async leave(then: () => unknown): Promise<void> {
    if (this.answer?.results.length) this.history.add(this.box.value);
    await this.finish(() => this.preview.restore());
    await then();
  }

  /** Closes the box, which takes a moment, in which no preview may come on top of what is opened. */
  private async finish(open: () => Promise<void>): Promise<void> {
    clearTimeout(this.previewTimer);
    this.box.hide();
    this.opening = open();
    await this.opening;
  }

  private async hidden(): Promise<void> {
    this.dispose();
    await vscode.commands.executeCommand('setContext', OPEN, false);
    await (this.opening ?? this.preview.restore()).catch(() => undefined);
    this.actions.closed(this);
  }
}

/** The results, and at the end what there is to say about them: a folder that gave none, a filter that is unknown. */
function answerRows({ results, notes }: Answer): Row[] {
  return [...resultRows(results, folderNames()), ...notes.map(text => note('info', text))];
}

function textOf(rows: readonly Row[]): string {
  return JSON.stringify(rows.map(({ label, description, detail }) => [label, description, detail]));
}

function titleOf(answer: Answer | undefined, { status }: Server): string {
  const parts = ['codewhere'];
  if (answer) parts.push(countOf(answer));
  const coverage = answer?.coverage ?? (status ? overall(status.roots) : 1);
  if (status?.modelState === 'failed') parts.push(vscode.l10n.t('words only'));
  else if (coverage < 1) parts.push(vscode.l10n.t('{0} searched by meaning', percent(coverage)));
  return parts.join(' • ');
}

function countOf({ results, elapsedMs }: Answer): string {
  const time = Math.round(elapsedMs);
  return results.length === 1 ? vscode.l10n.t('1 answer in {0} ms', time) : vscode.l10n.t('{0} answers in {1} ms', results.length, time);
}
