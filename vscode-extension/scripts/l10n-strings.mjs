// The strings that the extension translates at run time: every literal first argument of l10n.t(…) under src/.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export function stringsOf(folder) {
  const files = fs.readdirSync(folder, { recursive: true }).map(name => path.join(folder, name)).filter(name => name.endsWith('.ts'));
  return [...new Set(files.flatMap(stringsOfFile))].sort();
}

function stringsOfFile(file) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const found = [];
  const visit = node => {
    if (ts.isCallExpression(node) && node.expression.getText(source).endsWith('l10n.t')) {
      const [first] = node.arguments;
      if (!first || !ts.isStringLiteralLike(first)) throw new Error(`${file}: l10n.t needs a literal`);
      found.push(first.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(stringsOf('src'), null, 2));
