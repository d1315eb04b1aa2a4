import assert from 'node:assert/strict';
import * as fs from 'node:fs';

import { stringsOf } from '../../scripts/l10n-strings.mjs';

const read = (file: string): string => fs.readFileSync(file, 'utf8');
const json = (file: string): Record<string, string> => JSON.parse(read(file)) as Record<string, string>;
const manifestText = read('package.json');

interface Setting {
  default: unknown;
  markdownDescription?: string;
  scope?: string;
  pattern?: string;
  anyOf?: { enum?: string[] }[];
}
interface Manifest {
  contributes: {
    commands: { command: string }[];
    configuration: { properties: Record<string, Setting> }[];
    keybindings: { command: string }[];
    menus: Record<string, { command: string }[]>;
    walkthroughs: { steps: { media: { markdown?: string; image?: string } }[] }[];
  };
}
const { contributes } = JSON.parse(manifestText) as Manifest;
const MARKS: Record<string, string> = { machine: ' *(machine)*', resource: ' *(folder)*' };
const IS_CHINESE = /\p{Script=Han}/u;
const placeholders = (text: string): string[] => (text.match(/\{\d\}|\]\(command:[^)]*\)/g) ?? []).sort();

describe('the manifest', () => {
  const english = json('package.nls.json');
  it('uses every string it declares and declares every string it uses', () => {
    const used = [...new Set([...manifestText.matchAll(/"%([^%"]+)%"/g)].map(match => match[1]))].sort();
    assert.ok(used.length > 50);
    assert.deepEqual(Object.keys(english).sort(), used);
  });
  it('has the same strings in Chinese, with the same links', () => {
    const chinese = json('package.nls.zh-cn.json');
    assert.deepEqual(Object.keys(chinese), Object.keys(english));
    for (const [key, text] of Object.entries(english)) assert.deepEqual(placeholders(chinese[key] ?? ''), placeholders(text), key);
    for (const [key, text] of Object.entries(chinese)) assert.match(text, IS_CHINESE, key);
  });
  it('names only commands in menus and keys that it declares', () => {
    const declared = new Set(contributes.commands.map(({ command }) => command));
    for (const { command } of [...Object.values(contributes.menus).flat(), ...contributes.keybindings]) assert.ok(declared.has(command), command);
  });
  it('describes every setting and gives it a default and a scope', () => {
    const settings = contributes.configuration.flatMap(({ properties }) => Object.entries(properties));
    assert.ok(settings.length > 10);
    for (const [name, { default: value, markdownDescription, scope }] of settings) assert.ok(value !== undefined && markdownDescription && scope, name);
  });
  it('takes the devices that codewhere takes, and suggests the usual ones', () => {
    const device = contributes.configuration.flatMap(({ properties }) => properties['codewhere.device'] ?? [])[0];
    const [, taken] = /^_DEVICE = re\.compile\(r"(.*)"\)$/m.exec(read('../indexer/config.py')) ?? [];
    assert.equal(device?.pattern, `^(${taken ?? ''})$`);
    const pattern = new RegExp(device.pattern);
    for (const name of ['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:12', 'mps']) assert.match(name, pattern);
    for (const name of ['', 'gpu', 'cuda:', 'cuda:x', 'cpu:1', ' cpu']) assert.doesNotMatch(name, pattern);
    assert.deepEqual(device.anyOf?.map(({ enum: suggested }) => suggested), [['auto', 'cpu', 'cuda', 'mps'], undefined]);
  });
  it('is repeated faithfully in the documentation', () => {
    const page = read('../docs/vscode.md');
    for (const [name, { default: value, markdownDescription = '', scope }] of contributes.configuration.flatMap(({ properties }) => Object.entries(properties))) {
      const meaning = (english[markdownDescription.slice(1, -1)] ?? '').replace(/\[([^\]]*)\]\(command:[^)]*\)/g, '**$1**');
      const row = `| \`${name}\` | \`${JSON.stringify(value)}\` | ${meaning}${MARKS[scope ?? ''] ?? ''} |`;
      assert.ok(page.includes(row), row);
    }
  });
  it('has the pictures and pages of its walkthrough, the pages also in Chinese', () => {
    const files = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown ?? media.image ?? ''));
    const translated = files.filter(file => file.endsWith('.md')).map(file => file.replace(/\.md$/, '.nls.zh-cn.md'));
    for (const file of [...files, ...translated]) assert.ok(fs.existsSync(file), file);
  });
});

describe('the strings of the code', () => {
  const chinese = json('l10n/bundle.l10n.zh-cn.json');
  const strings = stringsOf('src');
  it('are all translated, and nothing else is', () => {
    assert.ok(strings.length > 50);
    assert.deepEqual(Object.keys(chinese).sort(), strings);
  });
  it('are Chinese', () => {
    for (const translated of Object.values(chinese)) assert.match(translated, IS_CHINESE);
  });
  it('keep their placeholders', () => {
    for (const [text, translated] of Object.entries(chinese)) assert.deepEqual(placeholders(translated), placeholders(text), text);
  });
});
