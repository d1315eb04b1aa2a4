// Runs the suites of test/host in a real extension host: VS Code's own server, opened in headless Chromium.
//   node test/run-host.mjs [fake] [real]
import { setup } from '../scripts/setup-vscode.mjs';
import { copyWorkspace, openBrowser, realServer, removeFolder, startVSCode, temporaryFolder } from './vscode.mjs';
import path from 'node:path';
import { format } from 'node:util';

const extension = path.resolve(import.meta.dirname, '..');
const LIMIT_MS = Number(process.env.LIMIT_MS ?? 900_000);
const SERVERS = {
  fake: () => path.join(extension, 'test/fixtures/bin/codewhere'),
  real: realServer,
};

// The driver lets the page name tests and report how they end; it also keeps VS Code from showing dialogs, so the UI run goes without.
/** The exit code of one suite; its output goes to the terminal. */
async function runSuite(name) {
  const folder = temporaryFolder();
  const workspace = copyWorkspace(folder);
  const machine = { 'codewhere.server.path': SERVERS[name]() };
  const code = await startVSCode({ folder, machine, flags: ['--enable-smoke-test-driver'] }, async port => {
    const context = await openBrowser(path.join(folder, 'browser'));
    try {
      const page = await context.newPage();
      const exit = new Promise(resolve => void page.exposeFunction('codeAutomationExit', resolve));
      await page.exposeFunction('codeAutomationLog', (type, args) => print(format(...args)));
      const remote = file => `vscode-remote://127.0.0.1:${port}${file}`;
      const payload = JSON.stringify([
        ['extensionDevelopmentPath', remote(extension)],
        ['extensionTestsPath', remote(path.join(extension, `out/host/${name}.suite.js`))],
        ['skipWelcome', 'true'],
      ]);
      await page.goto(`http://127.0.0.1:${port}/?workspace=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(payload)}`);
      return await Promise.race([exit, new Promise(resolve => setTimeout(resolve, LIMIT_MS, 124).unref())]);
    } finally {
      await context.close();
    }
  });
  removeFolder(folder);
  return code;
}

// The extension host's whole console comes here; what VS Code itself says is left out unless asked for.
const NOISE = /^\s*(at |→|-)|bindings file|\.node$|Service Worker|open-vsx|^\[|^%c|socket|connection token|builtin extensions|ChatSession|contribution|watchdog|^Require stack/m;
function print(text) {
  const lines = text.split('\n').slice(0, 15);
  if (process.env.VERBOSE || !NOISE.test(lines[0])) console.log(lines.join('\n'));
}

setup();
const names = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(SERVERS);
for (const name of names) {
  console.log(`extension host, ${name} server`);
  const code = await runSuite(name);
  console.log(`extension host, ${name} server: exit code ${code}`);
  if (code !== 0) process.exitCode = 1;
}
