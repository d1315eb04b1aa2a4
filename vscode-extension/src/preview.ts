/** Shows results in the editor while a person walks through them, and puts everything back if none is taken. */
import * as vscode from 'vscode';

import type { Result } from './protocol';

const BY_HAND: (vscode.TextEditorSelectionChangeKind | undefined)[] = [vscode.TextEditorSelectionChangeKind.Keyboard, vscode.TextEditorSelectionChangeKind.Mouse];

interface Before {
  editor: vscode.TextEditor | undefined;
  selections: readonly vscode.Selection[];
  visible: vscode.Range | undefined;
  /** The tabs that were open, so that only what the preview opened is closed. */
  tabs: Set<string>;
}

export function toRange({ start, end }: Result['range']): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** A border that only high contrast themes have a colour for; they have none for backgrounds. */
function inHighContrast(borderWidth: string, color: string): vscode.DecorationRenderOptions {
  return { borderWidth, borderStyle: 'solid', borderColor: new vscode.ThemeColor(color) };
}

export class Preview implements vscode.Disposable {
  private before: Before | undefined;
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
    this.before ??= remember();
    const turn = ++this.latest;
    const uri = vscode.Uri.parse(result.uri);
    const document = await vscode.workspace.openTextDocument(uri);
    if (turn !== this.latest) return;
    const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus: true });
    // The box covers the upper half of the window, so what is shown goes into the middle.
    if (turn === this.latest) this.mark(editor, result, vscode.TextEditorRevealType.InCenter);
  }

  /** Opens a result for good, with the cursor on its name. */
  async open(result: Result, toSide = false): Promise<void> {
    this.latest++;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(result.uri));
    if (toSide) await this.restore();
    this.before = undefined;
    const viewColumn = toSide ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const editor = await vscode.window.showTextDocument(document, { viewColumn, preview: !toSide });
    const { line, character } = result.selectionRange.start;
    editor.selection = new vscode.Selection(line, character, line, character);
    this.mark(editor, result, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /**
   * Shows the editor from before the first preview while the person goes on typing. The last tab is not closed,
   * for then VS Code would take the focus from the box; it only loses its marks.
   */
  async stepBack(): Promise<void> {
    this.latest++;
    this.unmark();
    if (this.before?.editor) await reshow(this.before.editor, this.before, true);
  }

  /** Puts the editors back as they were before the first preview. */
  async restore(): Promise<void> {
    this.latest++;
    this.unmark();
    const before = this.before;
    this.before = undefined;
    if (!before) return;
    if (before.editor) await reshow(before.editor, before, false);
    const extra = previewTabs().filter(tab => !before.tabs.has(keyOf(tab)));
    await vscode.window.tabGroups.close(extra, true);
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

function remember(): Before {
  const editor = vscode.window.activeTextEditor;
  return {
    editor,
    selections: editor?.selections ?? [],
    visible: editor?.visibleRanges[0],
    tabs: new Set(vscode.window.tabGroups.all.flatMap(group => group.tabs).map(keyOf)),
  };
}

async function reshow({ document, viewColumn }: vscode.TextEditor, before: Before, preserveFocus: boolean): Promise<void> {
  const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus, ...(viewColumn && { viewColumn }) });
  editor.selections = before.selections;
  if (before.visible) editor.revealRange(before.visible, vscode.TextEditorRevealType.AtTop);
}

function previewTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs).filter(tab => tab.isPreview);
}

function keyOf(tab: vscode.Tab): string {
  const uri = tab.input instanceof vscode.TabInputText ? tab.input.uri.toString() : tab.label;
  return `${tab.group.viewColumn} ${uri}`;
}
