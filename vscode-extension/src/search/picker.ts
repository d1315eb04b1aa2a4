/** `codewhere: Search`: a box that answers while one types. */
import * as vscode from 'vscode';

import { messageOf } from '../errors';
import type { Preview } from '../preview';
import type { Answer, Result } from '../protocol';
import type { Server } from '../server';
import { delay, previews } from '../settings';
import { Asking } from './asking';
import type { History } from './history';
import { toggleTests } from './query';
import { FORGET, SIMILAR, type Row } from './rows';
import { titleOf } from './title';

const PREVIEW_DELAY_MS = 80;
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
  private readonly asking: Asking;
  private previewTimer: NodeJS.Timeout | undefined;
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
    this.asking = new Asking(server, history, box, { isChoosing: () => this.row !== this.first, present: (rows, renewing) => this.present(rows, renewing) });
    this.disposables = vscode.Disposable.from(
      this.asking,
      box.onDidChangeValue(value => this.asking.typed(value, delay())),
      box.onDidChangeActive(([row]) => this.schedulePreview(row)),
      box.onDidAccept(() => void this.take(false)),
      box.onDidTriggerItemButton(({ button, item }) => void this.press(button, item)),
      box.onDidTriggerButton(button => void this.pressTitle(button)),
      box.onDidHide(() => void this.hidden()),
      server.onDidChange(() => this.asking.renew()),
      // The box comes last, for as it goes it says once more that it is hidden.
      box,
    );
    this.asking.put(query ?? history.last, 0);
    box.show();
    void vscode.commands.executeCommand('setContext', OPEN, true);
  }

  /** Opens the row under the cursor, or runs it where it is a way out. Waits for the answer to what was typed last. */
  async take(toSide: boolean): Promise<void> {
    if (this.box.activeItems[0] === this.first && !(await this.asking.answered())) return;
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
    this.asking.ask(0);
  }

  /** Keeps the answer to what was typed last. */
  async keep(): Promise<void> {
    if (!(await this.asking.answered())) return;
    const { answer } = this.asking;
    if (answer?.results.length) await this.leave(() => this.actions.keep(answer));
  }

  toggleTests(): void {
    this.value = toggleTests(this.asking.query);
  }

  dispose(): void {
    this.history.last = this.asking.query;
    clearTimeout(this.previewTimer);
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
    this.asking.put(query, delay());
  }

  private async follow({ result, query, command, folder }: Row, toSide: boolean): Promise<void> {
    if (result) {
      await this.open(result, toSide);
    } else if (query) {
      this.asking.put(query, 0);
    } else if (command) {
      await this.leave(() => vscode.commands.executeCommand(command, ...(folder ? [folder] : [])));
    }
  }

  /** With `renewing` the cursor stays where it is, for the person may be on the way to one of the rows. */
  private present(rows: Row[], renewing: boolean): void {
    const { box } = this;
    box.title = titleOf(this.asking.answer, this.server.status);
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
    this.history.add(this.asking.query);
    await this.finish(() => this.preview.open(result, toSide).catch(async (error: unknown) => {
      await this.preview.restore();
      void vscode.window.showErrorMessage(vscode.l10n.t('Cannot open {0}: {1}', result.path, messageOf(error)));
    }));
  }

  private async leave(then: () => unknown): Promise<void> {
    if (this.asking.answer?.results.length) this.history.add(this.asking.query);
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

function textOf(rows: readonly Row[]): string {
  return JSON.stringify(rows.map(({ label, description, detail }) => [label, description, detail]));
}
