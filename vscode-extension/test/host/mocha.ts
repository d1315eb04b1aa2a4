import type MochaClass from 'mocha';

/** Runs tests in the extension host; rejects where one fails, which is how VS Code learns it. */
export function runTests(define: () => void): Promise<void> {
  // The package is an ES module, which Node 20 hands to `require` inside `default`.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const loaded = require('mocha') as { default?: typeof MochaClass } & typeof MochaClass;
  const Mocha = loaded.default ?? loaded;
  const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', color: false, timeout: 120_000, grep: process.env['GREP'] ?? '', bail: Boolean(process.env['BAIL']) });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  define();
  return new Promise((resolve, reject) => {
    let passed = 0;
    const runner = mocha.run(failures => {
      // eslint-disable-next-line no-console
      console.log(`${passed} passed, ${failures} failed`);
      if (failures > 0) reject(new Error(`${failures} tests failed`));
      else resolve();
    });
    runner.on('pass', () => passed++);
  });
}
