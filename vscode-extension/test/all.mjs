// Runs stages of the tests and says at the end how many tests passed and failed.
//   node test/all.mjs                  all of them
//   node test/all.mjs unit host        the named ones
//   node test/all.mjs ui --docs        the UI run; its pictures go into the documentation and the walkthrough
import { setup } from '../scripts/setup-vscode.mjs';

const STAGES = {
  unit: () => import('./run-unit.mjs').then(stage => stage.run()),
  host: () => import('./run-host.mjs').then(stage => stage.run()),
  ui: () => import('./ui/run.mjs').then(stage => stage.run()),
};

// A browser on a busy machine is late now and then; what is really broken fails twice.
const ATTEMPTS = { unit: 1, host: 2, ui: 2 };

const total = { passed: 0, failed: 0 };
const named = process.argv.slice(2).filter(name => name in STAGES);
for (const name of named.length > 0 ? named : Object.keys(STAGES)) {
  console.log(`── ${name}`);
  const start = Date.now();
  const { passed, failed } = await attempt(name);
  console.log(`── ${name}: ${passed} of ${passed + failed} tests pass, ${Math.round((Date.now() - start) / 1000)} s`);
  total.passed += passed;
  total.failed += failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

/** A stage, once more where it fails and may be tried again. */
async function attempt(name) {
  for (let left = ATTEMPTS[name]; ; left--) {
    const result = await runStage(name);
    if (result.failed === 0 || left === 1) return result;
    console.log(`── ${name}: ${result.failed} failed; once more`);
  }
}

/** A stage that breaks, or that has no test, counts as one failure. */
async function runStage(name) {
  try {
    if (name !== 'unit') setup();
    const { passed, failed } = await STAGES[name]();
    return { passed, failed: passed + failed === 0 ? 1 : failed };
  } catch (error) {
    console.error(error);
    return { passed: 0, failed: 1 };
  }
}
