// Runs the suites of test/host in a real extension host: VS Code's own server, opened in headless Chromium.
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
/** How many tests of one suite passed and failed; its output goes to the terminal. */
async function runSuite(name) {
  const folder = temporaryFolder();
  const workspace = copyWorkspace(folder);
  const machine = { 'codewhere.server.path': SERVERS[name]() };
  const counts = { passed: 0, failed: 0 };
  const code = await startVSCode({ folder, machine, flags: ['--enable-smoke-test-driver'] }, async port => {
    const context = await openBrowser(path.join(folder, 'browser'));
    try {
      const page = await context.newPage();
      const exit = new Promise(resolve => void page.exposeFunction('codeAutomationExit', resolve));
      await page.exposeFunction('codeAutomationLog', (type, args) => take(format(...args), counts));
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
  // A host that ends badly though no test failed is a failure too.
  return code === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

function take(text, counts) {
  const match = /^(\d+) passed, (\d+) failed$/.exec(text);
  if (match) Object.assign(counts, { passed: Number(match[1]), failed: Number(match[2]) });
  else print(text);
}

// The extension host's whole console comes here; what VS Code itself says is left out unless asked for.
const NOISE = /^\s*(at |→|-)|bindings file|\.node$|Service Worker|open-vsx|^\[|^%c|socket|connection token|builtin extensions|ChatSession|contribution|watchdog|^Require stack/m;
function print(text) {
  const lines = text.split('\n').slice(0, 15);
  if (process.env.VERBOSE || !NOISE.test(lines[0])) console.log(lines.join('\n'));
}

/** How many tests of all suites passed and failed. */
export async function run() {
  const total = { passed: 0, failed: 0 };
  for (const name of Object.keys(SERVERS)) {
    console.log(`extension host, ${name} server`);
    const { passed, failed } = await runSuite(name);
    total.passed += passed;
    total.failed += failed + (passed + failed === 0 ? 1 : 0);
  }
  return total;
}
