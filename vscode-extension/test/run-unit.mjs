// Runs the bundled unit tests.
import fs from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';

const folder = path.resolve(import.meta.dirname, '../out/unit');

/** How many passed and failed. */
export async function run() {
  const mocha = new Mocha({ reporter: 'dot' });
  for (const name of fs.readdirSync(folder)) mocha.addFile(path.join(folder, name));
  await mocha.loadFilesAsync();
  return new Promise(resolve => {
    const { stats } = mocha.run(() => resolve({ passed: stats.passes, failed: stats.failures }));
  });
}
