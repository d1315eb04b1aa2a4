// What the UI run stands on: a workspace with real code, a package that pip can install without a network, a window to act in.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program } from '../../scripts/setup-vscode.mjs';
import { openBrowser } from '../vscode.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const ROW = '.quick-input-list .monaco-list-row';
const PATIENCE_MS = 180_000;
const FOLDERS_MS = 40_000;

/** A workspace of two folders: some of codewhere's own Python, and a little Go. */
export function makeWorkspace(folder) {
  const workspace = path.join(folder, 'workspace');
  for (const name of ['indexer/rank', 'indexer/walk']) {
    fs.cpSync(path.join(repository, name), path.join(workspace, 'codewhere', name), { recursive: true, filter: file => fs.statSync(file).isDirectory() ? !/__pycache__|models$/.test(file) : file.endsWith('.py') });
  }
  fs.cpSync(path.join(import.meta.dirname, '../fixtures/workspace/two'), path.join(workspace, 'http'), { recursive: true });
  const file = path.join(workspace, 'demo.code-workspace');
  fs.writeFileSync(file, JSON.stringify({ folders: [{ path: 'codewhere' }, { path: 'http' }] }));
  return file;
}

/** The environment in which pip takes `codewhere` from a wheel whose command runs the program at `server`; the real package brings PyTorch along. */
export function withWheel(folder, server) {
  const wheels = path.join(folder, 'wheels');
  const wheel = path.join(wheels, 'codewhere-0.1.0-py3-none-any.whl');
  fs.mkdirSync(wheels);
  const script = `
import sys, zipfile
wheel, server = sys.argv[1:]
info = "codewhere-0.1.0.dist-info/"
with zipfile.ZipFile(wheel, "w") as archive:
    archive.writestr("codewhere_command.py", f"import os, sys\\ndef main():\\n    os.execv({server!r}, [{server!r}, *sys.argv[1:]])\\n")
    archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: codewhere\\nVersion: 0.1.0\\n")
    archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(info + "entry_points.txt", "[console_scripts]\\ncodewhere = codewhere_command:main\\n")
    archive.writestr(info + "RECORD", "")
`;
  execFileSync(program('python3'), ['-c', script, wheel, server]);
  return { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
}

/** The PATH without the folders that hold a codewhere; the Python of the system comes first. */
export function pathWithoutCodewhere() {
  const folders = ['/usr/bin', ...process.env.PATH.split(path.delimiter)];
  return folders.filter(folder => !fs.existsSync(path.join(folder, 'codewhere'))).join(path.delimiter);
}

/** Waits for the folders of the workspace. On a busy machine VS Code may ask for them too early and stay empty; a person would load the page again. */
async function withFolders(page) {
  for (let tries = 3; tries > 0; tries--) {
    const timeout = tries > 1 ? FOLDERS_MS : PATIENCE_MS;
    const folders = await page.waitForSelector('.explorer-folders-view .monaco-list-row', { timeout }).catch(error => { if (tries === 1) throw error; });
    if (folders) return;
    await page.reload();
  }
}

/** A window of VS Code, with the hands and eyes of a person. */
export class Window {
  constructor(page, screenshots) {
    this.page = page;
    this.screenshots = screenshots;
  }

  static async open(port, workspace, profile, screenshots, options = {}) {
    const context = await openBrowser(profile, { viewport: { width: 960, height: 780 }, ...options });
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(Number(process.env.UI_MS ?? PATIENCE_MS));
    await page.goto(`http://127.0.0.1:${port}/?workspace=${encodeURIComponent(workspace)}`);
    await withFolders(page);
    return new Window(page, screenshots);
  }

  close() {
    return this.page.context().close();
  }

  async picture(name, settle = 600) {
    await this.page.mouse.move(300, 770); // where the status bar is empty, so that nothing is hovered over
    await this.page.waitForTimeout(settle);
    const number = fs.readdirSync(this.screenshots).length + 1;
    await this.page.screenshot({ path: path.join(this.screenshots, `${String(number).padStart(2, '0')}-${name}.png`) });
  }

  press(keys) {
    return this.page.keyboard.press(keys);
  }

  type(text) {
    return this.page.keyboard.type(text, { delay: 25 });
  }

  /** Runs a command from the palette. */
  async command(title) {
    await this.press('F1');
    await this.page.waitForSelector('.quick-input-widget input', { state: 'visible' });
    await this.type(title);
    await this.row(title);
    await this.press('Enter');
  }

  /** Waits for an element on the screen. */
  see(selector) {
    return this.page.waitForSelector(selector);
  }

  /** Waits for a row of the quick pick with these words. */
  row(words) {
    return this.page.waitForSelector(`${ROW}:has-text("${words}")`);
  }

  async rows() {
    // The list reuses its elements, so their order in the page is not that on the screen.
    return this.page.$$eval(ROW, rows => rows.map(row => [Number(row.getAttribute('data-index')), row.getAttribute('aria-label') ?? '']).sort(([one], [other]) => one - other).map(([, label]) => label));
  }

  /** The rows once no request is on its way and they have not changed for a second, so that the answer is that to the whole question. */
  async settledRows() {
    for (let rows = await this.rows(); ; ) {
      await this.page.waitForTimeout(1000);
      await this.page.waitForSelector('.quick-input-progress:not(.active)', { state: 'attached' });
      const later = await this.rows();
      if (later.join() === rows.join()) return rows;
      rows = later;
    }
  }

  /** What the focused row says to a screen reader. */
  focusedRow() {
    return this.page.$eval(`${ROW}.focused`, row => row.getAttribute('aria-label') ?? '');
  }

  box() {
    return this.page.waitForSelector('.quick-input-widget input[placeholder^="Describe"]', { state: 'visible' });
  }

  boxClosed() {
    return this.page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  }

  status() {
    return this.page.$eval('[id="codewhere.codewhere.codewhere.status"], [id^="codewhere.codewhere"]', item => item.textContent.trim());
  }

  /** Waits until the status bar item says something that fits, given all that it has said. */
  async watchStatus(fits, milliseconds = PATIENCE_MS) {
    const seen = [];
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      const text = await this.status().catch(() => '');
      if (seen.at(-1) !== text) seen.push(text);
      if (await fits(text, seen)) return;
      await this.page.waitForTimeout(50);
    }
    throw new Error(`the status bar never said it; it said ${JSON.stringify(seen)}`);
  }

  tab(name) {
    return this.page.waitForSelector(`.tab.active:has-text("${name}")`);
  }

  resultRows() {
    return this.page.$$eval('.pane-body .monaco-list-row', rows => rows.map(row => row.getAttribute('aria-label') ?? ''));
  }
}
