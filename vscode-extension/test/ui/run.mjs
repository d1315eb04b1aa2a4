// Does what a person does, in VS Code with the packaged extension, and keeps pictures in out/screenshots.
//   node test/ui/run.mjs          the run
//   node test/ui/run.mjs --docs   the run, and its pictures for the documentation and the walkthrough
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setup } from '../../scripts/setup-vscode.mjs';
import { realServer, removeFolder, startVSCode, temporaryFolder, vscodeArguments } from '../vscode.mjs';
import { makeWheel, makeWorkspace, pathWithoutCodewhere, Window } from './stage.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const screenshots = path.join(root, 'out/screenshots');
const QUESTION = 'how are ranked lists of words and meaning merged';
const INDEXING_MS = 400_000;

async function firstStart(window) {
  await window.page.waitForSelector('.gettingStartedContainer :text("Set up codewhere")');
  await window.watchStatus(text => text.includes('set up'), 30_000);
  await window.picture('walkthrough');
}

async function setUp(window) {
  await window.page.click('.gettingStartedContainer .monaco-button:has-text("Set Up codewhere")');
  const create = await window.row('Create a Python Environment');
  await window.picture('set-up');
  await create.click();
  const dialog = await window.page.waitForSelector('.monaco-dialog-box');
  const text = await dialog.textContent();
  assert.match(text, /-m venv .*environment/, 'the first command is shown');
  assert.match(text, /-m pip install --upgrade/, 'the second command is shown');
  await window.picture('set-up-asks');
  await window.page.click('.monaco-dialog-box .monaco-button:has-text("Create")');
  await watchProgress(window);
  await window.press('Escape');
  await window.command('View: Close All Editors');
}

/** The bar grows, then the status bar is quiet. */
async function watchProgress(window) {
  let pictured = false;
  await window.watchStatus(async (text, seen) => {
    if (!pictured && /▰▱/.test(text)) {
      pictured = true;
      await window.picture('indexing', 0);
    }
    return seen.some(said => /[▰▱]{8} \d+ %/.test(said)) && /^codewhere(: words only)?$/.test(text);
  }, INDEXING_MS);
}

async function search(window) {
  await window.press('Shift+Alt+S');
  await window.box();
  await window.type(QUESTION);
  await window.row('rank/');
  const rows = await window.settledRows();
  assert.ok(rows.length > 3, rows.join('\n'));
  await window.picture('search');
  const [first] = rows;
  assert.ok((await window.focusedRow()).startsWith(first), 'the first row has the focus');
  await window.press('ArrowDown');
  await window.press('ArrowDown');
  assert.notEqual(await window.focusedRow(), first);
  await window.settledRows();
  await window.picture('preview');
  await window.press('Enter');
  await window.boxClosed();
  await window.page.waitForSelector('.tab.active .label-name');
  await window.picture('opened');
}

async function toTheSide(window) {
  await window.press('Shift+Alt+S');
  const box = await window.box();
  assert.equal(await box.inputValue(), QUESTION, 'the last question is back');
  await window.row('rank/');
  await window.press('Control+\\');
  await window.boxClosed();
  await window.page.waitForFunction(() => document.querySelectorAll('.editor-group-container').length === 2);
  await window.picture('to-the-side');
  await window.command('View: Close All Editors');
}

async function nothingFound(window) {
  await window.press('Shift+Alt+S');
  await window.box();
  await window.type(`${QUESTION} lang:haskell`);
  await window.row('Search without lang:haskell');
  await window.picture('nothing-found');
  await window.press('ArrowDown');
  await window.press('Enter');
  await window.row('rank/');
  await window.press('Escape');
  await window.boxClosed();
}

async function findSimilar(window) {
  await window.press('Shift+Alt+S');
  await window.box();
  await window.type('WaitBeforeRetry');
  await window.row('WaitBeforeRetry');
  await window.press('Enter');
  await window.tab('http.go');
  await window.press('Shift+F10');
  await window.page.waitForSelector('.monaco-menu :text("Find Similar")');
  await window.picture('context-menu');
  await window.press('Escape');
  await window.command('codewhere: Find Similar');
  await window.page.waitForFunction(() => document.querySelectorAll('.pane-body .monaco-list-row').length > 1 || document.querySelector('.notification-toast'));
  const rows = await window.resultRows();
  assert.ok(rows.length > 1, 'no similar functions: a model is needed for this');
  assert.ok(rows.every(row => row.length > 0), 'every row has a label for screen readers');
  await window.page.waitForSelector('.pane-body .monaco-list-row.selected');
  await window.picture('similar');
}

async function resultsView(window) {
  const before = await window.resultRows();
  await window.command('codewhere: View as a List by Score');
  await window.page.waitForFunction(() => !document.querySelector('.pane-body .monaco-tl-twistie.collapsible'));
  const list = await window.resultRows();
  assert.notDeepEqual(list, before);
  await window.picture('results-as-list');
  await window.command('codewhere: View as a Tree of Files');
  await window.command('codewhere: Clear the Results');
  await window.page.waitForSelector('.pane-body :text("Describe the code you look for")');
  await window.picture('welcome');
}

async function statusMenu(window) {
  await window.page.click('[id^="codewhere.codewhere"]');
  await window.row('Index Again');
  await window.picture('status-menu');
  await window.press('Escape');
}

async function restricted({ folder, workspace }) {
  const settings = { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' };
  await startVSCode({ folder, settings, machine: { 'codewhere.server.path': realServer() } }, async port => {
    const window = await Window.open(port, workspace, path.join(folder, 'browser-restricted'), path.join(screenshots, 'restricted'));
    try {
      await window.page.waitForSelector('.statusbar-item:has-text("Restricted Mode")');
      await window.page.waitForSelector('[id^="codewhere.codewhere"]');
      await window.page.waitForTimeout(3000);
      await window.command('codewhere: Search');
      await window.row('Manage Workspace Trust');
      await window.picture('restricted');
      assert.equal(fs.existsSync(path.join(folder, 'home')), false, 'no server ran, so there is no index');
    } finally {
      await window.close();
    }
  });
}

const STEPS = [firstStart, setUp, search, toTheSide, nothingFound, findSimilar, resultsView, statusMenu];

/** The steps in one window; a step that fails leaves a picture of what it saw. */
async function person({ folder, workspace }) {
  const machine = { 'codewhere.setup.package': makeWheel(folder, realServer()) };
  await startVSCode({ folder, machine, env: { PATH: pathWithoutCodewhere() } }, async port => {
    const window = await Window.open(port, workspace, path.join(folder, 'browser'), screenshots);
    try {
      for (const step of STEPS) await step(window);
    } catch (error) {
      console.error(error);
      await window.picture('failure');
      throw error;
    } finally {
      await window.close();
    }
  });
}

function install(folder) {
  const args = vscodeArguments(folder, '--install-extension', path.join(root, 'out/codewhere.vsix'), '--force');
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  assert.match(output, /successfully installed/);
}

/** Pictures that the documentation and the walkthrough show. */
function copyToDocs() {
  const pictures = Object.fromEntries(fs.readdirSync(screenshots).map(name => [name.replace(/^\d+-/, ''), path.join(screenshots, name)]));
  const copy = (name, target) => fs.copyFileSync(pictures[`${name}.png`], path.join(root, target));
  for (const name of ['search', 'preview', 'similar', 'status-menu', 'indexing', 'set-up-asks', 'nothing-found']) {
    if (pictures[`${name}.png`]) copy(name, `../docs/images/vscode-${name}.png`);
  }
  copy('search', 'media/walkthrough/search.png');
}

setup();
fs.rmSync(screenshots, { recursive: true, force: true });
fs.mkdirSync(path.join(screenshots, 'restricted'), { recursive: true });
console.log('UI run');
for (const act of [person, restricted]) {
  const folder = temporaryFolder();
  try {
    install(folder);
    await act({ folder, workspace: makeWorkspace(folder) });
  } finally {
    removeFolder(folder);
  }
}
if (process.argv.includes('--docs')) copyToDocs();
console.log('UI run: passed');
