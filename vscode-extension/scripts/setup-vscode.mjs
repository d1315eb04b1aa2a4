// Fetches a real VS Code (the server and web client that code-server ships) from npm into .vscode-test/.
// The version is the last one that runs on Node 20; nothing is compiled and no browser is downloaded.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const VERSION = '4.100.3'; // carries VS Code 1.100.3
const root = path.resolve(import.meta.dirname, '..', '.vscode-test');
const vscode = path.join(root, 'package', 'lib', 'vscode');
const marker = path.join(vscode, '.ready');

export const vscodeFolder = vscode;

/** The path of a program that Debian's packages bring, or an error that says which one to install. */
export function program(...names) {
  const override = process.env[names[0].toUpperCase()];
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = override ? [override] : names.flatMap(name => folders.map(folder => path.join(folder, name)));
  const found = candidates.find(file => fs.existsSync(file));
  if (!found) throw new Error(`${names.join(' or ')} is needed: apt-get install ${names[0] === 'rg' ? 'ripgrep' : names[0]}`);
  return found;
}

export function setup() {
  if (fs.existsSync(marker)) return;
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root, { recursive: true });
  const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  npm(root, 'pack', '--silent', `code-server@${VERSION}`);
  const archive = `code-server-${VERSION}.tgz`;
  execFileSync('tar', ['xzf', archive], { cwd: root });
  fs.rmSync(path.join(root, archive));
  // Its shrinkwrap is out of step with its package.json, so `npm ci` refuses; the native modules are not needed.
  npm(vscode, 'install', '--silent', '--omit=dev', '--ignore-scripts');
  const ripgrep = path.join(vscode, 'node_modules', '@vscode', 'ripgrep', 'bin');
  fs.mkdirSync(ripgrep, { recursive: true });
  fs.symlinkSync(program('rg'), path.join(ripgrep, 'rg'));
  fs.writeFileSync(marker, VERSION);
}

if (process.argv[1] === import.meta.filename) {
  setup();
  console.log(`VS Code is ready in ${path.relative(process.cwd(), vscode)}`);
}
