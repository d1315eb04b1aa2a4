/** Asks the server what stands in the search box: after a rest between keys, and again where a better answer may be there. */
import { CancellationTokenSource, type CancellationToken, type Disposable, type QuickPick } from 'vscode';

import { messageOf } from '../errors';
import { folderNames } from '../folders';
import type { Answer } from '../protocol';
import type { Server } from '../server';
import type { History } from './history';
import { isQuestion } from './query';
import { answerRows, blockedRows, emptyRows, historyRows, note, type Row } from './rows';

/** After this time the server has embedded what the question was about. */
const IMPROVE_DELAY_MS = 1000;

/** The list under the box. */
interface List {
  /** Whether the person has left the first row, and so may be on the way to another one. */
  isChoosing: () => boolean;
  /** Shows rows; with `renewing` they are an answer to the same question. */
  present: (rows: Row[], renewing: boolean) => void;
}

export class Asking implements Disposable {
  /** What stands in the box, also while VS Code has not yet told so. */
  query = '';
  /** What the rows are from; undefined where they are no answer. */
  answer: Answer | undefined;
  private request = new CancellationTokenSource();
  private timer: NodeJS.Timeout | undefined;
  private improveTimer: NodeJS.Timeout | undefined;
  /** Settles when the rows fit the question in the box. */
  private pending: Promise<void> | undefined;
  /** What was put into the box here, and of which VS Code will tell as if it had been typed. */
  private readonly untold = new Set<string>();

  constructor(
    private readonly server: Server,
    private readonly history: History,
    private readonly box: Pick<QuickPick<Row>, 'value' | 'busy'>,
    private readonly list: List,
  ) {}

  /** Asks what stands in the box after some milliseconds, unless something else is asked before. */
  ask(milliseconds: number, renewing = false): void {
    this.request.cancel();
    this.request = new CancellationTokenSource();
    clearTimeout(this.timer);
    const { token } = this.request;
    this.box.busy = true;
    this.pending = new Promise(resolve => {
      token.onCancellationRequested(() => resolve());
      this.timer = setTimeout(() => void this.refresh(token, renewing).finally(resolve), milliseconds);
    });
  }

  /** Puts a question into the box and asks it. */
  put(query: string, milliseconds: number): void {
    this.untold.add(query);
    this.box.value = query;
    this.query = query;
    this.ask(milliseconds);
  }

  /** Asks what was typed, unless it is what was put into the box; VS Code may tell of that when something else stands there already. */
  typed(query: string, milliseconds: number): void {
    const isTold = this.untold.has(query);
    if (!isTold || query === this.query) this.untold.clear();
    if (isTold || query === this.query) return;
    this.query = query;
    this.ask(milliseconds);
  }

  /** Asks again where a better answer may be there by now; a request on its way is left alone, for the status may change all the time. */
  renew(): void {
    if (this.box.busy) return;
    if (!this.answer?.results.length) this.ask(0, true);
    else if (this.mayImprove) this.improveTimer ??= setTimeout(() => void this.improve(), IMPROVE_DELAY_MS);
  }

  /** Waits for the answer to what was typed last; false where the box was closed before it came. */
  async answered(): Promise<boolean> {
    let waited;
    do {
      waited = this.pending;
      await waited;
    } while (waited !== this.pending);
    return !this.request.token.isCancellationRequested;
  }

  dispose(): void {
    this.request.cancel();
    clearTimeout(this.timer);
    clearTimeout(this.improveTimer);
  }

  /** Whether some of the code had no vector yet when the answer was given, and nobody is choosing among its rows. */
  private get mayImprove(): boolean {
    return (this.answer?.coverage ?? 1) < 1 && !this.list.isChoosing();
  }

  private async improve(): Promise<void> {
    const { token } = this.request;
    const { query } = this;
    const answer = this.mayImprove && !this.box.busy ? await this.server.search({ query }, token).catch(() => undefined) : undefined;
    this.improveTimer = undefined;
    if (answer?.results.length && !token.isCancellationRequested && this.mayImprove) this.give(answerRows(answer, folderNames()), true, answer);
  }

  private async refresh(token: CancellationToken, renewing: boolean): Promise<void> {
    const { query } = this;
    const blocked = blockedRows(this.server);
    if (blocked.length > 0 || !isQuestion(query)) {
      this.give(blocked.length > 0 ? blocked : historyRows(this.history.questions), renewing);
      return;
    }
    try {
      const answer = await this.server.search({ query }, token);
      if (token.isCancellationRequested) return;
      this.give(answer.results.length > 0 ? answerRows(answer, folderNames()) : emptyRows(query, answer, this.server.status), renewing, answer);
    } catch (error) {
      if (!token.isCancellationRequested) this.give([note('error', messageOf(error))], renewing);
    }
  }

  private give(rows: Row[], renewing: boolean, answer?: Answer): void {
    this.answer = answer;
    this.box.busy = false;
    this.list.present(rows, renewing);
  }
}
