/** The editors as they were at one moment, and the way back to them. */
import * as vscode from 'vscode';

/** The tab in italics, which VS Code gives up for the next one that is opened so. */
interface Provisional {
  readonly key: string;
  /** Undefined for what cannot be opened again, such as the page of an extension. */
  readonly reopen: Reopen | undefined;
  readonly isActive: boolean;
  /** The tab on its left, after which it comes again. */
  readonly left: string | undefined;
}

/** VS Code's own commands know one option more: with `background` the active tab stays active. */
type Reopen = (options: vscode.TextDocumentShowOptions & { background: boolean }) => Thenable<unknown>;

interface ActiveText {
  readonly document: vscode.TextDocument;
  readonly selections: readonly vscode.Selection[];
  readonly visible: vscode.Range | undefined;
}

export class Snapshot {
  private readonly viewColumn: vscode.ViewColumn;
  private readonly open: ReadonlySet<string>;
  private readonly active: string | undefined;
  /** Undefined where the active tab is no plain text: a difference, a picture, the settings. */
  private readonly text: ActiveText | undefined;
  private readonly provisional: Provisional | undefined;
  private readonly shown = new Set<string>();
  private showing: Thenable<unknown> = Promise.resolve();

  constructor() {
    const { activeTab, tabs, viewColumn } = vscode.window.tabGroups.activeTabGroup;
    const provisional = tabs.findIndex(tab => tab.isPreview);
    this.viewColumn = viewColumn;
    this.open = new Set(allTabs().map(keyOf));
    this.active = activeTab && keyOf(activeTab);
    this.text = activeTab && textOf(activeTab);
    this.provisional = tabs[provisional] && provisionalOf(tabs[provisional], tabs[provisional - 1]);
  }

  /** Shows a document in the place of the one that was shown before, without taking the focus. */
  async show(document: vscode.TextDocument): Promise<vscode.TextEditor> {
    this.shown.add(document.uri.toString());
    // What cannot be opened again must not be given up.
    const preview = !this.provisional || this.provisional.reopen !== undefined;
    const showing = vscode.window.showTextDocument(document, { preview, preserveFocus: true });
    this.showing = showing;
    const editor = await showing;
    await this.closeShown(document.uri);
    return editor;
  }

  /** Closes what was shown, except one document: where previews are off VS Code itself gives up none of them. */
  async closeShown(except?: vscode.Uri): Promise<void> {
    const extra = allTabs().filter(tab => !tab.isDirty && this.hasShown(tab, except?.toString()));
    if (extra.length > 0) await vscode.window.tabGroups.close(extra, true);
  }

  /** Goes back to the text that was active; the tabs stay as they are. */
  async stepBack(preserveFocus: boolean): Promise<void> {
    if (!this.text) return;
    const { document, selections, visible } = this.text;
    const editor = await vscode.window.showTextDocument(document, { viewColumn: this.viewColumn, preview: true, preserveFocus });
    editor.selections = selections;
    if (visible) editor.revealRange(visible, vscode.TextEditorRevealType.AtTop);
  }

  /** Brings the tabs back, and the focus to the one that had it. */
  async restore(): Promise<void> {
    // A preview that is still on its way would come on top of what is brought back.
    await this.showing.then(undefined, () => undefined);
    await this.bringBack();
    await (this.text ? this.stepBack(false) : this.goTo(this.active));
    await this.closeShown();
  }

  /** The tab that was given up comes again where it was; it stays away where its file is gone by now. */
  private async bringBack(): Promise<void> {
    const { provisional, viewColumn } = this;
    if (!provisional?.reopen || allTabs().some(tab => keyOf(tab) === provisional.key)) return;
    // VS Code puts a new tab beside the active one, and what it moves afterwards is no longer in italics.
    await this.goTo(provisional.left);
    await provisional.reopen({ viewColumn, preview: true, preserveFocus: true, background: !provisional.isActive }).then(undefined, () => undefined);
  }

  /** Makes a tab the active one, whatever it shows. Only those of the active group can be reached. */
  private async goTo(key: string | undefined): Promise<void> {
    const { tabs, viewColumn } = vscode.window.tabGroups.activeTabGroup;
    const index = viewColumn === this.viewColumn ? tabs.findIndex(tab => keyOf(tab) === key) : -1;
    if (index >= 0) await vscode.commands.executeCommand('workbench.action.openEditorAtIndex', index);
  }

  private hasShown(tab: vscode.Tab, except: string | undefined): boolean {
    const uri = uriOf(tab);
    return uri !== undefined && uri !== except && this.shown.has(uri) && !this.open.has(keyOf(tab));
  }
}

function allTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs);
}

/** What a tab with plain text shows. */
function uriOf({ input }: vscode.Tab): string | undefined {
  return input instanceof vscode.TabInputText ? input.uri.toString() : undefined;
}

function keyOf(tab: vscode.Tab): string {
  return `${tab.group.viewColumn} ${uriOf(tab) ?? tab.label}`;
}

function provisionalOf(tab: vscode.Tab, left: vscode.Tab | undefined): Provisional {
  return { key: keyOf(tab), reopen: reopenerOf(tab), isActive: tab.isActive, left: left && !tab.isActive ? keyOf(left) : undefined };
}

/** The editor of a tab with plain text; `activeTextEditor` may be one of a panel, or a side of a difference. */
function textOf(tab: vscode.Tab): ActiveText | undefined {
  const uri = uriOf(tab);
  const editor = vscode.window.visibleTextEditors.find(({ document, viewColumn }) => viewColumn === tab.group.viewColumn && document.uri.toString() === uri);
  return editor && { document: editor.document, selections: editor.selections, visible: editor.visibleRanges[0] };
}

function reopenerOf({ input, label }: vscode.Tab): Reopen | undefined {
  const run = vscode.commands.executeCommand;
  // Without `override` the file could come back in another kind of editor.
  if (input instanceof vscode.TabInputText) return options => run('vscode.open', input.uri, { ...options, override: false });
  if (input instanceof vscode.TabInputTextDiff) return options => run('vscode.diff', input.original, input.modified, label, options);
  if (input instanceof vscode.TabInputCustom) return options => run('vscode.openWith', input.uri, input.viewType, options);
  if (input instanceof vscode.TabInputNotebook) return options => run('vscode.openWith', input.uri, input.notebookType, options);
  return undefined;
}
