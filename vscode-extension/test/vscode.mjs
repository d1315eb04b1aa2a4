// Starts what the tests run in: VS Code's server, a browser, a copy of the example workspace.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { program, vscodeFolder } from '../scripts/setup-vscode.mjs';

const BROWSER_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-lcd-text', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// On a busy machine threads that wait for one another stand still, so the model runs on one.
const ONE_THREAD = { OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'passive' };
const QUIET = {
  'security.workspace.trust.enabled': false, 'workbench.startupEditor': 'none', 'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false, 'chat.disableAIFeatures': true, 'workbench.tips.enabled': false,
  'editor.minimap.enabled': false,
};

export function temporaryFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'codewhere-vscode-'));
}

/** Removes a folder into which a server that is ending may still write for a moment; a folder that stays is no failure. */
export function removeFolder(folder) {
  try {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  } catch (error) {
    console.warn(String(error));
  }
}

/** The example workspace, copied so that tests may change it. */
export function copyWorkspace(folder) {
  const target = path.join(folder, 'workspace');
  fs.cpSync(path.join(import.meta.dirname, 'fixtures/workspace'), target, { recursive: true });
  return path.join(target, 'demo.code-workspace');
}

/** The real server: the environment variable CODEWHERE, else the PATH. */
export function realServer() {
  return program('codewhere');
}

/** VS Code's own command line. */
export function vscodeArguments(folder, ...more) {
  const inside = name => path.join(folder, name);
  return [path.join(vscodeFolder, 'out/server-main.js'), '--server-data-dir', inside('server'), '--user-data-dir', inside('user'), '--extensions-dir', inside('extensions'), ...more];
}

/** Starts VS Code's server, runs `use` with its port, and ends it. */
export async function startVSCode({ folder, settings = {}, machine = {}, env = {}, flags = [] }, use) {
  // Settings of the machine (where the program is) count only in the second file, as in any remote window.
  for (const scope of ['User', 'Machine']) {
    fs.mkdirSync(path.join(folder, 'user', scope), { recursive: true });
    fs.writeFileSync(path.join(folder, 'user', scope, 'settings.json'), JSON.stringify(scope === 'User' ? { ...QUIET, ...settings } : machine));
  }
  const args = vscodeArguments(folder, '--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms', '--telemetry-level', 'off', ...flags);
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...ONE_THREAD, CODEWHERE_HOME: path.join(folder, 'home'), ...env } });
  const ended = new Promise(resolve => server.once('exit', resolve));
  try {
    return await use(await portOf(server));
  } finally {
    server.kill();
    await ended;
  }
}

function portOf(server) {
  return new Promise((resolve, reject) => {
    let output = '';
    server.stdout.on('data', data => {
      output += data;
      const match = /bound to 127\.0\.0\.1:(\d+)/.exec(output);
      if (match) resolve(match[1]);
    });
    server.once('exit', code => reject(new Error(`VS Code's server ended with ${code}: ${output}`)));
  });
}

export function openBrowser(profile, options = {}) {
  return chromium.launchPersistentContext(profile, { executablePath: program('chromium', 'google-chrome'), headless: true, args: BROWSER_FLAGS, ...options });
}
