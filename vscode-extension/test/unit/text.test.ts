import assert from 'node:assert/strict';

import { CrashLimit } from '../../src/crashLimit';
import { commandLine, runProgram } from '../../src/program';
import { answerLine, asText, nameOf, placeOf, reasonOf } from '../../src/result';
import { pauseOrResume } from '../../src/status/menu';
import { bar, describeMachine, describeRoot, label, megabytes, overall, percent, timeLeft } from '../../src/status/text';
import type { RootStatus } from '../../src/protocol';
import { parseModels } from '../../src/tools';
import { result, root, status } from './samples';

describe('the words of the status bar', () => {
  for (const [share, expected] of [[0, '0 %'], [0.409, '40 %'], [0.999, '99 %'], [1, '100 %']] as const) {
    it(`calls ${share} ${expected}`, () => assert.equal(percent(share), expected));
  }
  for (const [seconds, expected] of [[null, ''], [0.2, '1 s left'], [41, '41 s left'], [120, '2 min left'], [7200, '2 h left']] as const) {
    it(`says ${String(seconds)} seconds as "${expected}"`, () => assert.equal(timeLeft(seconds), expected));
  }
  it('draws no full bar before all is done', () => {
    assert.equal(bar(0), '▱▱▱▱▱▱▱▱');
    assert.equal(bar(0.99), '▰▰▰▰▰▰▰▱');
    assert.equal(bar(1), '▰▰▰▰▰▰▰▰');
  });
  it('weighs the folders by their functions', () => {
    assert.equal(overall([root({ functions: 300, embedded: 0 }), root({ functions: 100, embedded: 100 })]), 0.25);
    assert.equal(overall([root({ functions: 0, embedded: 0 })]), 1);
  });
  for (const [bytes, expected] of [[18_350_080, '18.4 MB'], [2_500_000_000, '2.50 GB']] as const) {
    it(`writes ${bytes} bytes as ${expected}`, () => assert.equal(megabytes(bytes), expected));
  }

  const indexing = root({ embedded: 40, coverage: 0.4, state: 'indexing', etaSeconds: 30, message: 'Embedding: 40 of 100 functions' });
  const labels = [
    ['restricted', undefined, '$(shield) codewhere', 'plain'],
    ['noFolder', undefined, '$(search) codewhere', 'plain'],
    ['notFound', undefined, '$(warning) codewhere: set up', 'warning'],
    ['failed', undefined, '$(error) codewhere', 'error'],
    ['starting', undefined, '$(sync~spin) codewhere', 'plain'],
    ['running', undefined, '$(sync~spin) codewhere', 'plain'],
    ['running', status([root()]), '$(search) codewhere: small (CPU)', 'plain'],
    ['running', status([root()], { device: 'cuda:0' }), '$(search) codewhere: small (GPU)', 'plain'],
    ['running', status([root()], { device: null }), '$(search) codewhere: small', 'plain'],
    ['running', status([root()], { model: '/opt/models/a-model-whose-name-is-very-long/' }), '$(search) codewhere: a-model-whose-name-is-v… (CPU)', 'plain'],
    ['running', status([root()], { model: 'owner/embedder' }), '$(search) codewhere: embedder (CPU)', 'plain'],
    ['running', status([indexing]), '$(sync~spin) codewhere ▰▰▰▱▱▱▱▱ 40 % 30 s left', 'plain'],
    ['running', status([root({ state: 'indexing', functions: 0, embedded: 0 })]), '$(sync~spin) codewhere ▱▱▱▱▱▱▱▱ 0 %', 'plain'],
    ['running', status([root({ embedded: 50, state: 'paused' })]), '$(debug-pause) codewhere 50 %', 'plain'],
    ['running', status([root({ embedded: 0 })], { modelState: 'loading', model: null }), '$(sync~spin) codewhere ▱▱▱▱▱▱▱▱ 0 %', 'plain'],
    ['running', status([root({ embedded: 99 })]), '$(search) codewhere: small (CPU) 99 %', 'plain'],
    ['running', status([root({ state: 'error' })]), '$(error) codewhere', 'error'],
    ['running', status([root()], { modelState: 'failed' }), '$(warning) codewhere: words only', 'warning'],
  ] as const;
  for (const [state, now, text, severity] of labels) {
    it(`shows "${text}" when ${state}`, () => assert.deepEqual(label(state, now), { text, severity }));
  }
  it('describes a folder with its counts, the time left and the message of the server', () => {
    assert.equal(describeRoot(indexing), 'files: 10, functions: 100, searched by meaning: 40 % • 30 s left • Embedding: 40 of 100 functions');
  });
  for (const [changes, expected] of [
    [{}, 'small • CPU • 18.4 MB on disk • codewhere 0.1.0'],
    [{ device: 'cuda:0' }, 'small • GPU (cuda:0) • 18.4 MB on disk • codewhere 0.1.0'],
    [{ model: null, device: null, modelState: 'loading' }, 'model is loading • 18.4 MB on disk • codewhere 0.1.0'],
    [{ model: 'base', device: null, modelState: 'failed' }, 'no model • 18.4 MB on disk • codewhere 0.1.0'],
  ] as const) {
    it(`describes the machine as "${expected}"`, () => assert.equal(describeMachine(status([], changes)), expected));
  }
});

describe('the menu of the status bar', () => {
  const entries = (...roots: RootStatus[]): string[] => pauseOrResume(roots).map(({ label, command, argument = '' }) => [label.replace(/^.*\) /, ''), command, argument].join(' '));
  const paused = root({ uri: 'file:///work/b', name: 'b', state: 'paused' });
  it('pauses or resumes the one folder', () => {
    assert.deepEqual(entries(root()), ['Pause Indexing codewhere.pause ']);
    assert.deepEqual(entries(paused), ['Resume Indexing codewhere.resume ']);
  });
  it('pauses and resumes all folders and each of them where there are several', () => {
    assert.deepEqual(entries(root(), paused), [
      'Pause Indexing codewhere.pause ', 'Resume Indexing codewhere.resume ',
      'Pause Indexing of a codewhere.pause file:///work/a', 'Resume Indexing of b codewhere.resume file:///work/b',
    ]);
  });
});

describe('a result in words', () => {
  it('has the place with the 1-based line of its name, and the folder where there are several', () => {
    assert.equal(placeOf(result()), 'src/net/retry.py:40');
    assert.equal(placeOf(result(), 'a'), 'a • src/net/retry.py:40');
  });
  it('is called after its file where it has no name', () => assert.equal(nameOf(result({ symbol: '' })), 'retry.py'));
  const highlight = (line: number): { start: { line: number; character: number }; end: { line: number; character: number } } => ({ start: { line, character: 0 }, end: { line, character: 5 } });
  for (const [name, changes, expected] of [
    ['the first line where nothing is highlighted', {}, 'def run(self):'],
    ['the highlighted line', { highlights: [highlight(41)] }, 'sleep(delay * 2)'],
    ['the first line where the highlight lies outside', { highlights: [highlight(90)] }, 'def run(self):'],
    ['the highlighted line where the doc comment is left out of the snippet', { highlights: [highlight(43)], range: { start: { line: 39, character: 0 }, end: { line: 44, character: 0 } } }, 'sleep(delay * 2)'],
    ['the line with the name where the doc comment is highlighted', { highlights: [highlight(40)], snippet: '@cached\ndef run(self):\n    pass', range: { start: { line: 39, character: 0 }, end: { line: 43, character: 9 } } }, 'def run(self):'],
    ['a statement of several lines as one', { snippet: 'def run(\n    self,\n    n: int,\n) -> int:\n    return 1' }, 'def run(self, n: int) -> int:'],
    ['no blank line', { snippet: '\n\n  x  =\t1' }, 'x = 1'],
    ['nothing of an empty text', { snippet: '' }, ''],
    ['the name of a function with an arity', { snippet: '@doc false\ndef total(cart, 2) do\n  2', symbol: 'Cart.total/2' }, 'def total(cart, 2) do'],
  ] as const) {
    it(`shows ${name}`, () => assert.equal(answerLine(result({ ...changes, highlights: 'highlights' in changes ? [...changes.highlights] : [] })), expected));
  }
  it('cuts a line that is very long', () => assert.equal(answerLine(result({ snippet: 'x'.repeat(500) })).length, 160));
  it('says why it is there', () => {
    assert.equal(reasonOf(result({ why: { denseRank: 1, lexicalRank: 4, terms: ['retry', 'wait'], signals: {} } })), 'number 1 by meaning • number 4 by words • words: retry, wait');
  });
  it('is copied with its place and its code', () => assert.match(asText(result()), /^src\/net\/retry\.py:40 RetryPolicy\.run\ndef run/));
});

describe('programs', () => {
  it('are written as a person would type them', () => assert.equal(commandLine('/opt/my python/bin/python', ['-m', 'venv', '/tmp/x']), '"/opt/my python/bin/python" -m venv /tmp/x'));
  it('give their lines and their code', async () => {
    const lines: string[] = [];
    const outcome = await runProgram(process.execPath, ['-e', 'console.log("one\\ntwo"); process.exitCode = 3'], line => lines.push(line));
    assert.deepEqual([outcome.code, lines], [3, ['one', 'two']]);
  });
  it('are read right where a character arrives in pieces', async () => {
    const script = 'process.stdout.write(Buffer.from([0xe7, 0xb4])); setTimeout(() => process.stdout.write(Buffer.from([0xa2])), 50)';
    assert.equal((await runProgram(process.execPath, ['-e', script])).output, '索');
  });
  it('that do not exist give an outcome and no exception', async () => assert.equal((await runProgram('/no/such/program', [])).code, -1));
  it('list their models', () => {
    assert.deepEqual(parseModels('{"models": [{"name": "small", "licence": "Apache-2.0", "dims": [256], "size_bytes": 23000000}]}'), [{ label: 'small', value: 'small', description: 'Apache-2.0 • 23.0 MB' }]);
    assert.deepEqual(parseModels('Usage: …'), []);
  });
});

describe('a server that crashes', () => {
  it('is started again three times within three minutes', () => {
    const crashes = new CrashLimit();
    assert.deepEqual([0, 1, 2, 3].map(second => crashes.mayRestart(second * 1000)), [true, true, true, false]);
  });
  it('is started again for ever where the crashes are far apart', () => {
    const crashes = new CrashLimit();
    assert.ok([0, 1, 2, 3, 4, 5].every(hour => crashes.mayRestart(hour * 3_600_000)));
  });
});
