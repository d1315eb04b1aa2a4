// Makes codewhere.vsix in out/ and says what is in it; too large a package is an error.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const LARGEST = 1_000_000;
const root = path.resolve(import.meta.dirname, '..');
const vsix = path.join(root, 'out', 'codewhere.vsix');

// The licence of the project goes into the package; it is not kept twice in the repository.
const licence = path.join(root, 'LICENSE');
fs.copyFileSync(path.join(root, '..', 'LICENSE'), licence);
fs.mkdirSync(path.dirname(vsix), { recursive: true });
const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
try {
  execFileSync(process.execPath, [vsce, 'package', '--no-dependencies', '--allow-missing-repository', '-o', vsix], { cwd: root, stdio: 'inherit' });
} finally {
  fs.rmSync(licence);
}
const { size } = fs.statSync(vsix);
if (size >= LARGEST) throw new Error(`${vsix} has ${size} bytes; it may have ${LARGEST}`);
