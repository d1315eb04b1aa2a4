/** The extension with the real server. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';
import { ask, closeBox, configure, running, serverProcesses, tree, until } from './helpers';
import { runTests } from './mocha';

const none = new vscode.CancellationTokenSource().token;
const INDEXING_MS = 110_000;

const indexed = (): Promise<Api> => running().then(async extension => {
  const ready = (): boolean => extension.status?.roots.length === 2 && extension.status.roots.every(root => root.state === 'idle' && root.functions > 0);
  await until('both folders are indexed', ready, INDEXING_MS).catch((error: unknown) => { throw new Error(`${String(error)}: ${JSON.stringify(extension.status)}`); });
  return extension;
});

/** Similar functions need vectors of all functions. */
const embedded = (): Promise<Api> => indexed().then(async extension => {
  await until('the model is there', () => extension.status?.modelState === 'ready', INDEXING_MS);
  await until('all is embedded', () => extension.status?.roots.every(root => root.coverage === 1), INDEXING_MS);
  return extension;
});

async function open(folder: number, file: string): Promise<vscode.TextEditor> {
  const root = vscode.workspace.workspaceFolders?.[folder];
  assert.ok(root);
  return vscode.window.showTextDocument(vscode.Uri.joinPath(root.uri, file));
}

function define(): void {
  afterEach(() => closeBox());

  it('indexes both folders at the start and says so', async () => {
    const { status } = await indexed();
    assert.deepEqual(status?.roots.map(root => root.name), ['one', 'two']);
    assert.ok((status.roots[0]?.files ?? 0) >= 3 && status.diskBytes > 0 && /^\d/.test(status.version), JSON.stringify(status));
  });

  it('answers a question over both folders', async () => {
    const extension = await indexed();
    const labels = await ask(extension, 'how long to wait before the next attempt', all => all.some(label => label.includes('backoff_delay')));
    assert.ok(labels.some(label => label.includes('WaitBeforeRetry')), labels.join('\n'));
    const places = extension.picker?.rows.map(row => row.description ?? '') ?? [];
    assert.ok(places.some(place => place.startsWith('one • src/retry.py:')), places.join('\n'));
  });

  it('keeps to the typed filters and offers to drop them', async () => {
    const extension = await indexed();
    await ask(extension, 'wait before retry lang:go', all => all.length > 0 && all[0]?.includes('WaitBeforeRetry') === true);
    assert.ok(extension.picker?.rows.every(row => row.result?.language === 'go'));
    await closeBox();
    const { results } = await extension.search('backoff delay -tests', none);
    assert.ok(results.length > 0 && !results.some(result => result.path.includes('test_')));
    await ask(extension, 'wait before retry lang:haskell', all => all.some(label => label.includes('Search without lang:haskell')));
  });

  it('opens the answer with the cursor on its name', async () => {
    const extension = await indexed();
    await ask(extension, 'backoff_delay', all => all[0]?.includes('backoff_delay') === true);
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await until('the function is open', () => {
      const editor = vscode.window.activeTextEditor;
      return editor?.document.getText(editor.document.getWordRangeAtPosition(editor.selection.active)) === 'backoff_delay';
    });
  });

  it('searches a buffer as it is on the screen', async () => {
    const extension = await indexed();
    const editor = await open(0, 'src/cache.py');
    await editor.edit(edit => edit.insert(new vscode.Position(0, 0), 'def weigh_anchor_in_harbour():\n    return "anchor"\n\n\n'));
    await until('the unsaved function is found', async () => (await extension.search('weigh anchor harbour', none)).results[0]?.symbol === 'weigh_anchor_in_harbour');
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('finds similar functions', async () => {
    const extension = await embedded();
    const editor = await open(0, 'src/retry.py');
    editor.selection = new vscode.Selection(7, 4, 7, 4);
    await vscode.commands.executeCommand('codewhere.findSimilar');
    assert.match(extension.results.current?.title ?? '', /backoff_delay/);
    assert.ok(tree(extension).some(line => line.includes('WaitBeforeRetry')), tree(extension).join('\n'));
    assert.ok(!tree(extension).some(line => line.endsWith('retry.py > backoff_delay')), 'not itself');
  });

  it('shows the nearest functions when hovering over a name', async () => {
    await embedded();
    const { document } = await open(1, 'http.go');
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(5, 8));
    const texts = hovers.flatMap(hover => hover.contents as vscode.MarkdownString[]).map(content => content.value);
    assert.match(texts.join('\n'), /socket\.go/);
  });

  it('marks copies with a code lens where it is asked to, which shows them', async () => {
    const extension = await embedded();
    await configure('codeLens.enabled', true);
    const { document } = await open(1, 'http.go');
    const lenses = (): Thenable<vscode.CodeLens[]> => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 10);
    const [lens] = await until('a lens', async () => { const all = await lenses(); return all.length > 0 && all; });
    assert.equal(lens?.command?.title, '1 similar function');
    await vscode.commands.executeCommand(lens.command.command, ...(lens.command.arguments ?? []) as unknown[]);
    assert.match(tree(extension)[0] ?? '', /socket\.go > WaitBeforeRetry/);
    await configure('codeLens.enabled', undefined);
  });

  it('cancels a search without hurting the next', async () => {
    const extension = await indexed();
    const source = new vscode.CancellationTokenSource();
    const cancelled = extension.search('a question nobody waits for', source.token);
    source.cancel();
    await cancelled.then(() => undefined, (error: unknown) => assert.match(String(error), /cancel/i));
    assert.ok((await extension.search('cache that forgets', none)).results.length > 0);
  });

  it('follows folders that go and come', async () => {
    const extension = await indexed();
    const [, two] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(two);
    vscode.workspace.updateWorkspaceFolders(1, 1);
    await until('one folder', () => extension.status?.roots.length === 1);
    assert.ok(!(await extension.search('WaitBeforeRetry', none)).results.some(result => result.language === 'go'));
    vscode.workspace.updateWorkspaceFolders(1, 0, { uri: two.uri });
    await indexed();
    assert.equal((await extension.search('WaitBeforeRetry', none)).results[0]?.language, 'go');
  });

  it('is paused, resumed and indexed again', async () => {
    const extension = await indexed();
    await vscode.commands.executeCommand('codewhere.pause');
    await until('paused', () => extension.status?.roots.every(root => root.state === 'paused'));
    await vscode.commands.executeCommand('codewhere.resume');
    await indexed();
    await vscode.commands.executeCommand('codewhere.reindex');
    await indexed();
  });

  it('survives a bad setting', async () => {
    const extension = await indexed();
    await configure('limit', -5);
    await configure('exclude', 'not a list');
    assert.ok((await extension.search('cache that forgets', none)).results.length > 0);
    await configure('limit', undefined);
    await configure('exclude', undefined);
  });

  it('runs again after the server was killed, with its index', async () => {
    const extension = await indexed();
    const [pid] = serverProcesses();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await until('the crash is noticed', () => extension.state === 'starting');
    await indexed();
    assert.notEqual(serverProcesses()[0], pid);
    assert.ok((await extension.search('cache that forgets', none)).results.length > 0);
  });
}

export const run = (): Promise<void> => runTests(define);
