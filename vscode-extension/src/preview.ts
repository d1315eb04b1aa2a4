/** Shows results in the editor while a person walks through them, and puts everything back if none is taken. */
import * as vscode from 'vscode';

import type { Result } from './protocol';
import { Snapshot } from './snapshot';

const BY_HAND: (vscode.TextEditorSelectionChangeKind | undefined)[] = [vscode.TextEditorSelectionChangeKind.Keyboard, vscode.TextEditorSelectionChangeKind.Mouse];

function toRange({ start, end }: Result['range']): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** A border that only high contrast themes have a colour for; they have none for backgrounds. */
function inHighContrast(borderWidth: string, color: string): vscode.DecorationRenderOptions {
  return { borderWidth, borderStyle: 'solid', borderColor: new vscode.ThemeColor(color) };
}

export class Preview implements vscode.Disposable {
  /** The editors before the first preview. */
  private before: Snapshot | undefined;
  private latest = 0;
  private marked: vscode.TextEditor | undefined;
  private readonly body = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    ...inHighContrast('0 0 0 3px', 'contrastActiveBorder'),
  });
  private readonly answer = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.findMatchHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.findMatchForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
    ...inHighContrast('1px', 'editor.findMatchHighlightBorder'),
  });
  private readonly disposables = vscode.Disposable.from(
    this.body, this.answer,
    vscode.window.onDidChangeTextEditorSelection(({ kind, textEditor }) => {
      if (BY_HAND.includes(kind) && textEditor === this.marked) this.unmark();
    }),
  );

  /** Shows a result without taking the focus from where the person types. */
  async show(result: Result): Promise<void> {
    const before = (this.before ??= new Snapshot());
    const turn = ++this.latest;
    const uri = vscode.Uri.parse(result.uri);
    const document = await vscode.workspace.openTextDocument(uri);
    if (turn !== this.latest) return;
    const editor = await before.show(document);
    // The box covers the upper half of the window, so what is shown goes into the middle.
    if (turn === this.latest) this.mark(editor, result, vscode.TextEditorRevealType.InCenter);
  }

  /** Opens a result for good, with the cursor on its name. */
  async open(result: Result, toSide = false): Promise<void> {
    this.latest++;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(result.uri));
    if (toSide) await this.restore();
    const { before } = this;
    this.before = undefined;
    const viewColumn = toSide ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const editor = await vscode.window.showTextDocument(document, { viewColumn, preview: !toSide });
    const { line, character } = result.selectionRange.start;
    editor.selection = new vscode.Selection(line, character, line, character);
    await before?.closeShown(document.uri);
    this.mark(editor, result, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /**
   * Shows the editor from before the first preview while the person goes on typing. The last tab is not closed,
   * for then VS Code would take the focus from the box; it only loses its marks.
   */
  async stepBack(): Promise<void> {
    this.latest++;
    this.unmark();
    await this.before?.stepBack(true);
  }

  /** Puts the editors back as they were before the first preview. */
  async restore(): Promise<void> {
    this.latest++;
    this.unmark();
    const { before } = this;
    this.before = undefined;
    await before?.restore();
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private mark(editor: vscode.TextEditor, result: Result, how: vscode.TextEditorRevealType): void {
    this.unmark();
    this.marked = editor;
    editor.setDecorations(this.body, [toRange(result.range)]);
    editor.setDecorations(this.answer, result.highlights.map(toRange));
    editor.revealRange(toRange(result.highlights[0] ?? result.range), how);
  }

  private unmark(): void {
    this.marked?.setDecorations(this.body, []);
    this.marked?.setDecorations(this.answer, []);
    this.marked = undefined;
  }
}
