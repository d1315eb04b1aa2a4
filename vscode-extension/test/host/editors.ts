/** What becomes of the editors while one searches, and at the first start. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';
import { welcome } from '../../src/welcome';
import { ask, closeBox, found, rows, running, sleep, tabs, until, untilTabs } from './helpers';

/** Three files, the last one in italics and active, and nothing else. */
async function openTabs(): Promise<[vscode.Uri, vscode.Uri, vscode.Uri]> {
  const [one, two] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(one && two);
  const files: [vscode.Uri, vscode.Uri, vscode.Uri] = [vscode.Uri.joinPath(one.uri, 'src/test_retry.py'), vscode.Uri.joinPath(two.uri, 'http.go'), vscode.Uri.joinPath(two.uri, 'socket/socket.go')];
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  for (const file of files) await vscode.window.showTextDocument(file, { preview: file === files[2] });
  return files;
}

async function preview(extension: Api, query: string): Promise<void> {
  await ask(extension, query, found);
  await until('the first answer is shown', () => vscode.window.activeTextEditor?.document.uri.path.endsWith('/retry.py'));
}

class Memory implements vscode.Memento {
  private readonly values = new Map<string, unknown>();
  keys = (): string[] => [...this.values.keys()];
  get = (key: string): never => this.values.get(key) as never;
  update = (key: string, value: unknown): Promise<void> => { this.values.set(key, value); return Promise.resolve(); };
}

export function defineEditors(): void {
  describe('the editors', () => {
    it('shows the row under the cursor in the editor, and puts everything back when left', async () => {
      const extension = await running();
      const [one] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(one);
      const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(one.uri, 'src/test_retry.py'));
      const before = await vscode.window.showTextDocument(document, { preview: false });
      before.selection = new vscode.Selection(3, 2, 3, 6);
      await ask(extension, 'preview this', found);
      await until('the first answer is shown', () => vscode.window.activeTextEditor?.document.uri.path.endsWith('retry.py') && vscode.window.activeTextEditor.document !== document);
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await until('the second answer is shown', () => vscode.window.activeTextEditor?.document.uri.path.endsWith('cache.py'));
      await closeBox();
      await until('the editor is back', () => vscode.window.activeTextEditor?.document === document);
      assert.deepEqual(vscode.window.activeTextEditor?.selection, new vscode.Selection(3, 2, 3, 6));
      await until('the previews are closed', () => !vscode.window.tabGroups.all.flatMap(group => group.tabs).some(tab => tab.label === 'cache.py'));
    });

    it('brings back the tab in italics that a preview took the place of', async () => {
      const extension = await running();
      const [test, http, socket] = await openTabs();
      await vscode.window.showTextDocument(test, { preview: false });
      const before = await untilTabs(['>test_retry.py', 'http.go', '(socket.go)']);
      await preview(extension, 'in italics');
      assert.ok(!tabs().includes('(socket.go)'), 'the preview took no place');
      await closeBox();
      assert.deepEqual(tabs(), before);
      assert.equal(vscode.window.activeTextEditor?.document.uri.path, test.path);
      await vscode.window.showTextDocument(socket);
      await vscode.window.showTextDocument(http);
      await preview(extension, 'once more');
      await vscode.commands.executeCommand('codewhere.search.openToSide');
      await until('a second column', () => vscode.window.activeTextEditor?.viewColumn === vscode.ViewColumn.Two);
      await untilTabs(['test_retry.py', '>http.go', '(socket.go)', '>retry.py']);
    });

    it('brings back a difference in italics, which was active', async () => {
      const extension = await running();
      const [test, http] = await openTabs();
      await vscode.commands.executeCommand('vscode.diff', test, http, 'what changed', { preview: true });
      const before = await untilTabs(['test_retry.py', 'http.go', '>(what changed)']);
      await preview(extension, 'a difference');
      await closeBox();
      assert.deepEqual(tabs(), before);
    });

    it('gives up no tab that it could not bring back', async () => {
      const extension = await running();
      const [test, http] = await openTabs();
      await vscode.commands.executeCommand('vscode.changes', 'all changes', [[test, test, http]]);
      const before = await untilTabs(['test_retry.py', 'http.go', '>(all changes (1 file))']);
      await preview(extension, 'the page of an extension');
      await closeBox();
      assert.deepEqual(tabs(), before);
    });

    it('leaves no tab behind where VS Code has no tabs in italics', async () => {
      const extension = await running();
      const editors = vscode.workspace.getConfiguration('workbench.editor');
      await editors.update('enablePreview', false, vscode.ConfigurationTarget.Global);
      await openTabs();
      const before = await untilTabs(['test_retry.py', 'http.go', '>socket.go']);
      await preview(extension, 'kept');
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await until('the second answer is shown', () => tabs().includes('>cache.py'));
      await until('the first one is closed', () => !tabs().includes('retry.py'));
      await closeBox();
      assert.deepEqual(tabs(), before);
      await editors.update('enablePreview', undefined, vscode.ConfigurationTarget.Global);
    });

    it('opens to the side', async () => {
      const extension = await running();
      const [test] = await openTabs();
      await vscode.window.showTextDocument(test);
      const before = await untilTabs(['>test_retry.py', 'http.go', '(socket.go)']);
      await ask(extension, 'beside', found);
      await vscode.commands.executeCommand('codewhere.search.openToSide');
      await until('a second column', () => vscode.window.activeTextEditor?.viewColumn === vscode.ViewColumn.Two);
      await sleep(300);
      assert.deepEqual(tabs(), [...before, '>retry.py'], 'a preview came on top of the answer');
      await vscode.commands.executeCommand('workbench.action.closeEditorsInGroup');
    });

    it('shows no earlier answer in the editor once there is none', async () => {
      const extension = await running();
      const [one] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(one);
      const { document } = await vscode.window.showTextDocument(vscode.Uri.joinPath(one.uri, 'src/test_retry.py'), { preview: false });
      await ask(extension, 'for a moment', found);
      await until('the first answer is shown', () => vscode.window.activeTextEditor?.document.uri.path.endsWith('/retry.py'));
      assert.ok(extension.picker);
      extension.picker.value = 'nothing at all';
      await rows(extension, labels => labels.some(label => label.includes('Nothing was found')), 'nothing at all');
      await until('the editor is back', () => vscode.window.activeTextEditor?.document === document);
      assert.ok(extension.picker, 'the box is still open');
    });

    it('are left alone at the first start without a program, which is said once', async () => {
      await running();
      const memory = new Memory();
      await openTabs();
      const before = await untilTabs(['test_retry.py', 'http.go', '>(socket.go)']);
      await welcome('running', memory);
      assert.deepEqual(memory.keys(), [], 'a program is there');
      const said = welcome('notFound', memory);
      const answered = (what: Promise<void>): Promise<boolean> => Promise.race([what.then(() => true), sleep(500).then(() => false)]);
      assert.equal(await answered(said), false, 'it is not said');
      assert.deepEqual(tabs(), before);
      await vscode.commands.executeCommand('notifications.clearAll');
      assert.equal(await answered(said), true, 'it is more than a notification');
      assert.equal(await answered(welcome('notFound', memory)), true, 'it is said a second time');
    });
  });
}
