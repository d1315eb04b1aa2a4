// Does what a person does, in VS Code with the packaged extension, and keeps pictures in out/screenshots.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { realServer, removeFolder, startVSCode, temporaryFolder, vscodeArguments } from '../vscode.mjs';
import { makeWorkspace, pathWithoutCodewhere, Window, withWheel } from './stage.mjs';
import { restrictedSteps, steps } from './steps.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const screenshots = path.join(root, 'out/screenshots');

/** A person without codewhere, from the first start on; a home of their own, for VS Code asks the login shell for the PATH. */
const newcomer = folder => ({
  steps,
  settings: { 'codewhere.codeLens.enabled': true },
  env: { HOME: folder, PATH: pathWithoutCodewhere(), ...withWheel(folder, realServer()) },
});

/** A person who has codewhere and opens a folder that is not trusted. */
const visitor = () => ({
  steps: restrictedSteps,
  settings: { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' },
  machine: { 'codewhere.server.path': realServer() },
});

/** How many steps passed and failed. A step that fails leaves a picture of what it saw, and those after it do not count. */
export async function run() {
  fs.rmSync(screenshots, { recursive: true, force: true });
  fs.mkdirSync(screenshots, { recursive: true });
  let passed = 0;
  for (const person of [newcomer, visitor]) {
    const folder = temporaryFolder();
    try {
      install(folder);
      await inWindow(folder, person(folder), () => passed++);
    } catch (error) {
      console.error(error);
      return { passed, failed: 1 };
    } finally {
      removeFolder(folder);
    }
  }
  if (process.argv.includes('--docs')) copyToDocs();
  return { passed, failed: 0 };
}

async function inWindow(folder, person, onPass) {
  const workspace = makeWorkspace(folder);
  await startVSCode({ folder, ...person }, async port => {
    const window = await Window.open(port, workspace, path.join(folder, 'browser'), screenshots);
    try {
      for (const step of person.steps) {
        const start = Date.now();
        await step(window, folder);
        console.log(`  ✔ ${step.name} (${Math.round((Date.now() - start) / 100) / 10} s)`);
        onPass();
      }
    } catch (error) {
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

/** The pictures that the documentation and the walkthrough show. */
function copyToDocs() {
  const pictures = Object.fromEntries(fs.readdirSync(screenshots).map(name => [name.replace(/^\d+-/, ''), path.join(screenshots, name)]));
  const copy = (name, target) => fs.copyFileSync(pictures[`${name}.png`], path.join(root, target));
  for (const name of ['search', 'set-up-asks', 'similar', 'status-menu']) copy(name, `../docs/images/vscode-${name}.png`);
  copy('search', 'media/walkthrough/search.png');
}
