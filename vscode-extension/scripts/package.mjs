// Makes codewhere.vsix in out/ and says what is in it; too large a package is an error.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const LARGEST = 1_000_000;
const root = path.resolve(import.meta.dirname, '..');
export const vsix = path.join(root, 'out', 'codewhere.vsix');

fs.mkdirSync(path.dirname(vsix), { recursive: true });
const vsce = path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
execFileSync(process.execPath, [vsce, 'package', '--no-dependencies', '--skip-license', '--allow-missing-repository', '-o', vsix], { cwd: root, stdio: 'inherit' });
const { size } = fs.statSync(vsix);
if (size >= LARGEST) throw new Error(`${vsix} has ${size} bytes; it may have ${LARGEST}`);
