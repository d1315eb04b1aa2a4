/** `Find Similar`: the neighbours of the function under the cursor, of the selection, or of a result. */
import * as vscode from 'vscode';

import { messageOf } from './errors';
import type { Answer, Result, SimilarParams } from './protocol';
import { nameOf } from './result';
import { ResultList } from './results/model';
import type { ResultsView } from './results/view';
import type { Server } from './server';

export class Similar {
  constructor(private readonly server: Server, private readonly view: ResultsView) {}

  /** For what is selected in the editor, else for the function around the cursor. */
  async ofEditor(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Open a file and put the cursor into a function first.'));
      return;
    }
    const { document, selection } = editor;
    const textDocument = { uri: document.uri.toString() };
    // A selection has more fields than the range that the protocol takes.
    const range = { start: selection.start, end: selection.end };
    await this.find(selection.isEmpty ? { textDocument, position: selection.active } : { textDocument, range });
  }

  /** For a code lens, whose arguments are those of the protocol. */
  async at(uri: string, position: SimilarParams['position']): Promise<void> {
    await this.find({ textDocument: { uri }, ...(position && { position }) });
  }

  async ofResult(result: Result): Promise<void> {
    await this.find({ textDocument: { uri: result.uri }, position: result.selectionRange.start }, nameOf(result));
  }

  private async find(params: SimilarParams, name?: string): Promise<void> {
    const ask = (token: vscode.CancellationToken): Promise<Answer> => this.server.similar(params, token);
    try {
      const progress = { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Looking for similar functions') };
      const answer = await vscode.window.withProgress(progress, (_, token) => ask(token));
      const asked = name ?? shorten(answer.query);
      const title = asked ? vscode.l10n.t('similar to {0}', asked) : vscode.l10n.t('similar functions');
      await this.view.show(new ResultList(title, answer, ask));
    } catch (error) {
      void vscode.window.showErrorMessage(`codewhere: ${messageOf(error)}`);
    }
  }
}

function shorten(query: string): string {
  const line = query.trim().split('\n')[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
