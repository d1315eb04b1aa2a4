/** The extension with a stand-in for the server, for what a real one does not do on demand. */
import assert from 'node:assert/strict';
import * as path from 'node:path';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';
import { defineEditors } from './editors';
import { api, ask, closeBox, configure, found, rows, running, serverProcesses, sleep, tree, until } from './helpers';
import { runTests } from './mocha';

const states = ({ status }: Api): string[] => status?.roots.map(root => root.state) ?? [];
const none = new vscode.CancellationTokenSource().token;

function define(): void {
  afterEach(() => closeBox());

  describe('search', () => {
    it('shows the answers in the order of the server, though a later one has the word of the question', async () => {
      const extension = await running();
      const labels = await ask(extension, 'cached', found);
      assert.deepEqual(labels, ['$(symbol-function) backoff_delay', '$(symbol-function) cached', '$(symbol-function) call_with_retry']);
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      const editor = await until('the first answer is open', () => vscode.window.activeTextEditor);
      assert.match(editor.document.uri.path, /retry\.py$/, 'VS Code has sorted the rows');
      await until('the cursor is on the name', () => editor.selection.active.line === 5 && editor.selection.active.character === 4);
    });

    it('cancels the request at the next key and asks only for what rests', async () => {
      const extension = await running();
      await vscode.commands.executeCommand('codewhere.search', 'slow question');
      await sleep(400);
      assert.ok(extension.picker);
      for (const query of ['fast', 'faste', 'faster']) extension.picker.value = query;
      await rows(extension, found, 'faster');
      const { notes } = await extension.search('log', none);
      const from = notes.lastIndexOf('slow question');
      assert.deepEqual(notes.slice(from), ['slow question', 'cancelled', 'faster', 'log']);
    });

    it('brings the last question back, and remembers the questions that were answered', async () => {
      const extension = await running();
      await ask(extension, 'remember me', found);
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      await until('the answer is open', () => !extension.picker);
      await vscode.commands.executeCommand('codewhere.search');
      await rows(extension, found, 'the last question');
      assert.ok(extension.picker);
      extension.picker.value = '';
      const labels = await rows(extension, all => all.some(label => label.includes('$(history)')), 'the earlier questions');
      assert.equal(labels[1], '$(history) remember me');
      await vscode.commands.executeCommand('codewhere.search.forget');
      await rows(extension, all => !all.includes('$(history) remember me'), 'a forgotten question');
    });

    it('does by key what the buttons of the box do', async () => {
      const extension = await running();
      await ask(extension, 'buttons', found);
      await vscode.commands.executeCommand('codewhere.search.toggleTests');
      await vscode.commands.executeCommand('codewhere.search.keep');
      assert.equal(extension.results.current?.query, 'buttons -tests', 'the answer before was kept');
      assert.deepEqual(tree(extension).length, 3);
      await ask(extension, 'buttons', found);
      await vscode.commands.executeCommand('codewhere.search.findSimilar');
      assert.equal(extension.results.current.title, 'similar to backoff_delay');
      await until('the view has the focus', () => extension.results.targets().some(node => node.type === 'function' && node.result.symbol === 'cached'));
    });

    it('says why an answer is empty and renews it by itself as indexing goes on', async () => {
      const extension = await running();
      await ask(extension, 'nothing here lang:go', labels => labels.some(label => label.includes('Nothing was found')));
      assert.ok(extension.picker?.rows.some(row => row.query === 'nothing here'), 'a way out of the filter');
      await closeBox();
      await ask(extension, 'indexing', labels => labels.some(label => label.includes('40 % is indexed')));
      await rows(extension, found, 'the answer after indexing');
    });

    it('renews an answer that had no vectors yet, but not while one chooses among its rows', async () => {
      const extension = await running();
      const first = (symbol: string) => (labels: string[]): boolean => labels[0]?.endsWith(symbol) ?? false;
      await ask(extension, 'partial', first('by_words'));
      await rows(extension, first('by_meaning'), 'the answer with vectors');
      await closeBox();
      await ask(extension, 'partial, chosen', first('by_words'));
      await sleep(300);
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await until('the second one is active', () => extension.picker?.row?.result?.symbol === 'backoff_delay');
      await sleep(4500);
      assert.ok(first('by_words')(extension.picker?.rows.map(row => row.label) ?? []), 'the rows moved under the cursor');
      await closeBox();
      await ask(extension, 'partial, at last', first('by_words'));
      await rows(extension, first('by_meaning'), 'the next question');
    });

    it('stays where the cursor is among earlier questions when the status changes', async () => {
      const extension = await running();
      for (const query of ['first of two', 'second of two']) {
        await ask(extension, query, found);
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        await until('the answer is open', () => !extension.picker);
      }
      await vscode.commands.executeCommand('codewhere.search');
      const { picker } = extension;
      assert.ok(picker);
      picker.value = '';
      await rows(extension, all => all.some(label => label.includes('first of two')), 'the earlier questions');
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      const active = (): string | undefined => picker.row?.query;
      await until('the second one is active', () => active() === 'first of two');
      await vscode.commands.executeCommand('codewhere.pause');
      await vscode.commands.executeCommand('codewhere.resume');
      await sleep(500);
      assert.equal(active(), 'first of two');
    });

    it('says behind the answers what there is to say, and what it cannot open', async () => {
      const extension = await running();
      const labels = await ask(extension, 'noted', found);
      assert.deepEqual(labels.map(label => label.replace(/\$\(.*\) /, '')), ['backoff_delay', 'two is not indexed yet.']);
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      await until('the box is closed', () => !extension.picker);
      await ask(extension, 'after that', found);
    });

    it('shows the error of a search and answers the next one', async () => {
      const extension = await running();
      await ask(extension, 'broken index', labels => labels.some(label => label.includes('the index is broken')));
      assert.ok(extension.picker);
      extension.picker.value = 'works again';
      await rows(extension, found, 'works again');
    });
  });

  defineEditors();

  describe('results view', () => {
    it('keeps similar functions, as a tree and as a list, and loses what is dismissed', async () => {
      const extension = await running();
      const [one] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(one);
      const editor = await vscode.window.showTextDocument(vscode.Uri.joinPath(one.uri, 'src/retry.py'));
      editor.selection = new vscode.Selection(6, 0, 6, 0);
      await vscode.commands.executeCommand('codewhere.findSimilar');
      assert.deepEqual(tree(extension), ['src/cache.py > cached']);
      assert.equal(extension.results.current?.title, 'similar to backoff_delay');
      await until('the first one is selected', () => extension.results.targets()[0]?.type === 'function');
      await vscode.commands.executeCommand('codewhere.results.viewAsList');
      assert.deepEqual(tree(extension), ['cached']);
      await vscode.commands.executeCommand('codewhere.results.viewAsTree');
      const [node] = extension.results.getChildren();
      assert.ok(node);
      await vscode.commands.executeCommand('codewhere.results.copy', node);
      assert.match(await vscode.env.clipboard.readText(), /^src\/cache\.py:5 cached\ndef cached/);
      await vscode.commands.executeCommand('codewhere.results.dismiss', node);
      assert.deepEqual(tree(extension), []);
      await vscode.commands.executeCommand('codewhere.results.refresh');
      assert.deepEqual(tree(extension), ['src/cache.py > cached']);
    });

    it('takes the selection where there is one, and the place of a code lens', async () => {
      const extension = await running();
      const editor = vscode.window.activeTextEditor;
      assert.ok(editor);
      editor.selection = new vscode.Selection(6, 0, 8, 0);
      await vscode.commands.executeCommand('codewhere.findSimilar');
      assert.equal(extension.results.current?.title, 'similar to a selection');
      await vscode.commands.executeCommand('codewhere.findSimilarAt', editor.document.uri.toString(), { line: 5, character: 0 });
      assert.equal(extension.results.current.title, 'similar to backoff_delay');
    });
  });

  describe('the server', () => {
    it('is paused and resumed', async () => {
      const extension = await running();
      await vscode.commands.executeCommand('codewhere.pause');
      assert.deepEqual(states(extension), ['paused', 'paused']);
      await vscode.commands.executeCommand('codewhere.resume');
      assert.deepEqual(states(extension), ['idle', 'idle']);
    });

    it('pauses and resumes one folder of several on its own', async () => {
      const extension = await running();
      const [, two] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(two);
      await vscode.commands.executeCommand('codewhere.pause', two.uri.toString());
      assert.deepEqual(states(extension), ['idle', 'paused']);
      await vscode.commands.executeCommand('codewhere.pause');
      assert.deepEqual(states(extension), ['paused', 'paused'], 'the rest could not be paused');
      const isWayOut = (label = ''): boolean => label.includes('two: indexing is paused');
      await ask(extension, 'nothing while all rest', labels => labels.some(isWayOut));
      for (let row = 0; row < 2; row++) await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await until('the way out is active', () => isWayOut(extension.picker?.row?.label));
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      await until('two alone goes on', () => states(extension).join() === 'paused,idle');
      await vscode.commands.executeCommand('codewhere.resume');
      assert.deepEqual(states(extension), ['idle', 'idle']);
    });

    it('learns the settings at its start and when they change', async () => {
      const extension = await running();
      await configure('limit', 7);
      await configure('device', 'cpu');
      const known = async (): Promise<Record<string, unknown>> => JSON.parse((await extension.search('settings', none)).notes[0] ?? '{}') as Record<string, unknown>;
      await until('the change has come', async () => (await known())['device'] === 'cpu');
      const { limit, model, codeLens } = await known();
      assert.deepEqual({ limit, model, codeLens }, { limit: 7, model: 'auto', codeLens: { enabled: false, command: 'codewhere.findSimilarAt' } });
      await configure('limit', undefined);
      await configure('device', undefined);
    });

    it('learns what a folder has of its own, and of the rest only what is set', async () => {
      const extension = await running();
      const [one, two] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(one && two);
      type Known = Record<string, unknown> & { folders: Record<string, unknown> };
      const known = async (): Promise<Known> => JSON.parse((await extension.search('settings', none)).notes[0] ?? '{}') as Known;
      const unset = { exclude: null, includeText: null, maxFileBytes: null };
      const { exclude, includeText, maxFileBytes, folders } = await known();
      assert.deepEqual({ exclude, includeText, maxFileBytes }, unset);
      assert.deepEqual(folders, { [one.uri.toString()]: unset, [two.uri.toString()]: unset });
      const update = (value: unknown): Thenable<void> => vscode.workspace.getConfiguration('codewhere', two).update('exclude', value, vscode.ConfigurationTarget.WorkspaceFolder);
      await update(['*.gen.go']);
      await until('the folder has its own', async () => JSON.stringify((await known()).folders[two.uri.toString()]) === JSON.stringify({ ...unset, exclude: ['*.gen.go'] }));
      assert.deepEqual((await known()).folders[one.uri.toString()], unset);
      await update(undefined);
    });

    it('learns new folders and forgets those that go', async () => {
      const extension = await running();
      const folders = vscode.workspace.workspaceFolders ?? [];
      assert.equal(extension.status?.roots.length, 2);
      vscode.workspace.updateWorkspaceFolders(1, 1);
      await until('one folder', () => extension.status?.roots.length === 1);
      const [, two] = folders;
      assert.ok(two);
      vscode.workspace.updateWorkspaceFolders(1, 0, { uri: two.uri });
      await until('two folders', () => extension.status?.roots.length === 2);
    });

    it('is started again after a crash, and the open search is answered then', async () => {
      const extension = await running();
      const [before] = serverProcesses();
      void extension.search('die', none).catch(() => undefined);
      await until('the crash is noticed', () => extension.state === 'starting');
      await ask(extension, 'after the crash', found);
      const after = serverProcesses();
      assert.equal(after.length, 1);
      assert.notEqual(after[0], before);
    });

    for (const what of ['dies', 'refuses']) {
      it(`that always ${what} is given up with an explanation, and a person can start it again`, async () => {
        const extension = await running();
        await configure('home', path.join(vscode.env.appRoot, what));
        await until('given up', () => extension.state === 'failed');
        assert.deepEqual(serverProcesses(), []);
        await ask(extension, 'anything', labels => labels.some(label => label.includes('Restart the Server')));
        await closeBox();
        await configure('home', undefined);
        await running();
      });
    }

    it('that never answers is given up with an explanation, and a person can start it again', async () => {
      const extension = await running();
      const { setTimeout: real } = globalThis;
      const quick = (work: () => void, milliseconds?: number): NodeJS.Timeout => real(work, milliseconds === 60_000 ? 500 : milliseconds);
      globalThis.setTimeout = Object.assign(quick, real);
      try {
        await configure('home', path.join(vscode.env.appRoot, 'hangs'));
        await until('given up', () => extension.state === 'failed', 20_000);
      } finally {
        globalThis.setTimeout = real;
      }
      await ask(extension, 'anything', labels => labels.some(label => label.includes('Restart the Server')));
      assert.ok(extension.picker?.rows.some(({ detail }) => detail?.includes('did not answer within 60 seconds')));
      await closeBox();
      await until('the process is gone', () => serverProcesses().length === 0);
      await configure('home', undefined);
      await running();
    });

    it('that does not exist is said, with the way to set it up, and found again when the setting is right', async () => {
      const extension = await api();
      const good = vscode.workspace.getConfiguration('codewhere').get('server.path');
      await configure('server.path', '/no/such/codewhere');
      await until('not found', () => extension.state === 'notFound');
      await ask(extension, 'anything', labels => labels.some(label => label.includes('Set Up codewhere')));
      await closeBox();
      await configure('server.path', good);
      await running();
      assert.equal(serverProcesses().length, 1);
    });

    it('survives settings of a wrong type', async () => {
      const extension = await running();
      for (const [key, value] of [['delay', 'soon'], ['preview', 3], ['home', 12], ['limit', 'many'], ['device', ['cpu']]] as const) await configure(key, value);
      await running();
      await ask(extension, 'still here', found);
      await closeBox();
      for (const key of ['delay', 'preview', 'home', 'limit', 'device']) await configure(key, undefined);
      await running();
    });
  });
}

export const run = (): Promise<void> => runTests(define);
