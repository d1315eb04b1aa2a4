// What a person does with codewhere, step by step; every step begins where the one before it ended.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const QUESTION = 'is a file generated or minified';
const ANSWER = 'walk/demote.py';
const INDEXING_MS = 400_000;

async function firstStart(window) {
  await window.page.click('.notification-toast:has-text("not found") .monaco-button:has-text("Open the Walkthrough")');
  await window.see('.gettingStartedContainer :text("Set up codewhere")');
  await window.watchStatus(text => text.includes('set up'));
  await window.picture('walkthrough');
}

async function setUp(window) {
  await window.page.click('.gettingStartedContainer .monaco-button:has-text("Set Up codewhere")');
  const create = await window.row('Create a Python Environment');
  await window.picture('set-up');
  await create.click();
  const dialog = await window.see('.monaco-dialog-box');
  const text = await dialog.textContent();
  assert.match(text, /-m venv .*environment/, 'the first command is shown');
  assert.match(text, /-m pip install --upgrade codewhere/, 'the second command is shown');
  await window.picture('set-up-asks');
  await window.page.click('.monaco-dialog-box .monaco-button:has-text("Create")');
}

/** The bar grows, then the status bar has the model and the device. */
async function watchProgress(window) {
  let pictured = false;
  await window.watchStatus(async (text, seen) => {
    if (!pictured && /▰▱/.test(text)) {
      pictured = true;
      await window.picture('indexing', 0);
    }
    return seen.some(said => /[▰▱]{8} \d+ %/.test(said)) && /^codewhere: small \([CG]PU\)$/.test(text);
  }, INDEXING_MS);
  await window.command('View: Close All Editors');
}

async function search(window) {
  await window.press('Shift+Alt+S');
  await window.box();
  await window.type(QUESTION);
  await window.row(ANSWER);
  const rows = await window.settledRows();
  assert.ok(rows.length > 3, rows.join('\n'));
  assert.ok((await window.focusedRow()).startsWith(rows[0]), 'the first row has the focus');
  // Which answer comes first is for the tests of the ranking to say; here it must be the one in the editor.
  const [name] = rows[0].split(',');
  await window.see(`.view-lines :text("${name.split(/[\s.:]+/).pop()}")`);
  await window.picture('search');
}

async function walkThroughPreviews(window) {
  const first = await window.focusedRow();
  await window.press('ArrowDown');
  await window.press('ArrowDown');
  await window.page.waitForFunction(label => document.querySelector('.quick-input-list .monaco-list-row.focused')?.getAttribute('aria-label') !== label, first);
  await window.settledRows();
  await window.picture('preview');
  await window.press('Enter');
  await window.boxClosed();
  await window.see('.tab.active .label-name');
  await window.picture('opened');
}

async function openToTheSide(window) {
  await window.press('Shift+Alt+S');
  const box = await window.box();
  assert.equal(await box.inputValue(), QUESTION, 'the last question is back');
  await window.row(ANSWER);
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
  await window.row(ANSWER);
  await window.press('Escape');
  await window.boxClosed();
}

async function searchView(window) {
  await window.command('View: Show Search');
  const button = '.composite.title .action-label[aria-label^="Search"][style*="search-"], .pane-header .action-label[aria-label^="Search"][style*="search-"]';
  await window.see('.search-view');
  await window.picture('search-view');
  await window.page.click(button);
  await window.box();
  await window.press('Escape');
  await window.boxClosed();
}

async function findSimilar(window) {
  await window.press('Shift+Alt+S');
  await window.box();
  await window.type('WaitBeforeRetry path:http.go');
  await window.row('http.go:');
  await window.press('Enter');
  await window.tab('http.go');
  await window.see('.codelens-decoration :text("1 similar function")');
  await window.press('Shift+F10');
  await window.see('.monaco-menu :text("Find Similar")');
  await window.picture('context-menu');
  await window.press('Escape');
  await window.command('codewhere: Find Similar');
  await window.see('.pane-body .monaco-list-row.selected');
  const rows = await window.resultRows();
  assert.ok(rows.length > 1, rows.join('\n'));
  assert.match(rows[1], /WaitBeforeRetry, .*socket\.go/, 'the copy is the nearest');
  assert.ok(rows.every(row => row.length > 0), 'every row has a label for screen readers');
  await window.picture('similar');
}

async function resultsView(window) {
  const before = await window.resultRows();
  await window.command('codewhere: View as a List by Score');
  await window.page.waitForFunction(() => !document.querySelector('.pane-body .monaco-tl-twistie.collapsible'));
  assert.notDeepEqual(await window.resultRows(), before);
  await window.picture('results-as-list');
  await window.command('codewhere: View as a Tree of Files');
  await window.command('codewhere: Clear the Results');
  await window.see('.pane-body :text("Describe the code you look for")');
  await window.picture('welcome');
}

async function codeLens(window) {
  await window.page.click('.codelens-decoration a:has-text("1 similar function")');
  await window.see('.pane-body .monaco-list-row:has-text("socket.go")');
}

async function statusMenu(window) {
  await window.page.click('[id^="codewhere.codewhere"]');
  await window.row('Index Again');
  await window.picture('status-menu');
  await window.press('Escape');
}

async function restrictedMode(window, folder) {
  await window.see('.statusbar-item:has-text("Restricted Mode")');
  await window.see('[id^="codewhere.codewhere"][aria-label*="Restricted Mode"]');
  await window.command('codewhere: Search');
  await window.row('Manage Workspace Trust');
  await window.picture('restricted');
  assert.equal(fs.existsSync(path.join(folder, 'home')), false, 'no server ran, so there is no index');
}

export const steps = [
  firstStart, setUp, watchProgress, search, walkThroughPreviews, openToTheSide, nothingFound, searchView, findSimilar, resultsView, codeLens, statusMenu,
];
export const restrictedSteps = [restrictedMode];
