// node esbuild.mjs        the extension, minified
// node esbuild.mjs dev    the extension and the tests of the extension host, with source maps
// node esbuild.mjs unit   the unit tests, where a small stand-in takes the place of VS Code
import { build } from 'esbuild';
import fs from 'node:fs';

const mode = process.argv[2] ?? 'production';
const node = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning' };
const tests = folder => fs.readdirSync(folder).filter(name => name.endsWith('.ts')).map(name => `${folder}/${name}`);

if (mode === 'unit') {
  await build({ ...node, logLevel: 'error', entryPoints: tests('test/unit').filter(name => name.endsWith('.test.ts')), outdir: 'out/unit', sourcemap: 'inline',
    alias: { vscode: './test/unit/vscode.ts' } });
} else {
  const dev = mode === 'dev';
  await build({ ...node, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', external: ['vscode'], minify: !dev, sourcemap: dev ? 'inline' : false });
  if (dev) {
    await build({ ...node, entryPoints: tests('test/host').filter(name => name.endsWith('.suite.ts')), outdir: 'out/host', external: ['vscode', 'mocha'], sourcemap: 'inline' });
  }
}
