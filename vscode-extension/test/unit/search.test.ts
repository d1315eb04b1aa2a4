import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { locate, programIn, programsOnPath } from '../../src/locate';
import { ResultList } from '../../src/results/model';
import { History } from '../../src/search/history';
import { filtersOf, isQuestion, toggleTests, withoutFilters } from '../../src/search/query';
import { blockedRows, emptyRows, historyRows, resultRows } from '../../src/search/rows';
import { answer, result, root, status } from './samples';

describe('typed filters', () => {
  for (const [query, filters, rest] of [
    ['retry a request', [], 'retry a request'],
    ['lang:go retry path:src/net -tests', ['lang:go', 'path:src/net', '-tests'], 'retry'],
    ['retry path:"my src/" kind:class', ['path:"my src/"', 'kind:class'], 'retry'],
    ['-lang:go retry', ['-lang:go'], 'retry'],
    ['slang:go pre-tests x-tests', [], 'slang:go pre-tests x-tests'],
    ['symbol:run', ['symbol:run'], ''],
  ] as const) {
    it(`are found in "${query}"`, () => {
      assert.deepEqual(filtersOf(query), filters);
      assert.equal(withoutFilters(query), rest);
    });
  }
  for (const [query, expected] of [['retry', 'retry -tests'], ['retry -tests now', 'retry now'], ['-tests', ''], ['', '-tests']] as const) {
    it(`toggle the tests of "${query}"`, () => assert.equal(toggleTests(query), expected));
  }
  it('leave one letter unanswered', () => assert.deepEqual(['', ' ', 'a', 'ab', '重试'].map(isQuestion), [false, false, false, true, true]));
});

describe('rows of the search box', () => {
  it('show kind, name, place and the line that answers, whatever was typed', () => {
    const [row] = resultRows([result()], new Map([['file:///work/a', 'a']]));
    assert.equal(row?.label, '$(symbol-method) RetryPolicy.run');
    assert.equal(row.description, 'a • src/net/retry.py:40');
    assert.equal(row.detail, 'def run(self):');
    assert.equal(row.alwaysShow, true);
  });
  it('know folders whose URI is written in another way', () => {
    const [row] = resultRows([result({ root: 'file:///work/caf%C3%A9' })], new Map([['file:///work/café', 'café']]));
    assert.equal(row?.description, 'café • src/net/retry.py:40');
  });
  it('give an example before the first question, then the earlier questions', () => {
    assert.match(historyRows([])[0]?.label ?? '', /your own words/);
    assert.deepEqual(historyRows(['one', 'two']).map(row => row.query), [undefined, 'one', 'two']);
  });

  const running = { state: 'running', failure: '', status: undefined } as const;
  for (const [state, commands] of [
    ['running', []],
    ['starting', [undefined]],
    ['restricted', [undefined, 'workbench.trust.manage']],
    ['noFolder', [undefined, 'workbench.action.files.openFolder']],
    ['notFound', [undefined, 'codewhere.setUp']],
    ['failed', [undefined, 'codewhere.restart', 'codewhere.showLog', 'codewhere.setUp']],
  ] as const) {
    it(`offer a way out when ${state}`, () => assert.deepEqual(blockedRows({ ...running, state }).map(row => row.command), commands));
  }

  it('name a path that is set and is no program', () => {
    assert.match(blockedRows({ ...running, state: 'notFound', failure: 'It names /x.' })[0]?.label ?? '', /It names \/x\./);
  });

  for (const [name, query, now, expected] of [
    ['of the filters', 'lang:go retry', status([root()]), /Search without lang:go/],
    ['of indexing at 40 %', 'retry', status([root({ state: 'indexing', coverage: 0.4 })]), /a: 40 % is indexed/],
    ['of a pause', 'retry', status([root({ state: 'paused', coverage: 0.4 })]), /paused at 40 %\. Resume/],
    ['of an error', 'retry', status([root({ state: 'error', message: 'disk full.' })]), /disk full\. Show the Log/],
    ['of an empty index', 'retry', status([root({ functions: 0 })]), /nothing is indexed/],
    ['of the loading model', 'retry', status([root()], { modelState: 'loading' }), /model is loading/],
    ['of the missing model', 'retry', status([root()], { modelState: 'failed' }), /Choose a Model/],
  ] as const) {
    it(`say that an answer is empty because ${name}`, () => {
      const labels = emptyRows(query, answer(), now).map(row => row.label);
      assert.match(labels[0] ?? '', /Nothing was found/);
      assert.ok(labels.some(label => expected.test(label)), labels.join('\n'));
    });
  }
  it('hand on what the server says about an empty answer', () => {
    assert.equal(emptyRows('x', answer([], { notes: ['No file matches path:src/.'] }), undefined)[0]?.detail, 'No file matches path:src/.');
  });
});

describe('earlier questions', () => {
  const memento = (): { memory: History } => {
    const values = new Map<string, unknown>();
    const memory = {
      keys: () => [...values.keys()],
      get: (key: string, fallback?: unknown) => values.get(key) ?? fallback,
      update: (key: string, value: unknown) => { values.set(key, value); return Promise.resolve(); },
    };
    return { memory: new History(memory as ConstructorParameters<typeof History>[0]) };
  };
  it('are kept once, the latest first, and can be forgotten', () => {
    const { memory } = memento();
    for (const question of ['one', 'two', ' one ', '']) memory.add(question);
    assert.deepEqual(memory.questions, ['one', 'two']);
    memory.remove('one');
    assert.deepEqual(memory.questions, ['two']);
  });
  it('are at most fifty', () => {
    const { memory } = memento();
    for (let number = 0; number < 60; number++) memory.add(`question ${number}`);
    assert.equal(memory.questions.length, 50);
    assert.equal(memory.questions[0], 'question 59');
  });
  it('remember what stood in the box', () => {
    const { memory } = memento();
    assert.equal(memory.last, '');
    memory.last = 'half a quest';
    assert.equal(memory.last, 'half a quest');
  });
});

describe('the result list', () => {
  const here = result({ symbol: 'a' });
  const there = result({ uri: 'file:///work/a/b.py', path: 'b.py', symbol: 'b' });
  const again = result({ symbol: 'c' });
  const list = (): ResultList => new ResultList('q', answer([here, there, again]), () => Promise.resolve(answer()));

  it('groups by file in the order of the best function', () => {
    assert.deepEqual(list().files().map(file => [file.path, file.functions.map(node => node.result.symbol)]), [['src/net/retry.py', ['a', 'c']], ['b.py', ['b']]]);
  });
  it('loses a function, or all of a file, when dismissed', () => {
    const one = list();
    one.dismiss({ type: 'function', result: here });
    assert.deepEqual(one.functions().map(node => node.result.symbol), ['b', 'c']);
    const all = list();
    const [file] = all.files();
    if (file) all.dismiss(file);
    assert.deepEqual(all.functions().map(node => node.result.symbol), ['b']);
  });
});

describe('the codewhere program', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'codewhere-locate-'));
  const make = (file: string, mode = 0o755): string => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '');
    fs.chmodSync(file, mode);
    return file;
  };
  const environment = path.join(folder, 'environment');
  const own = make(programIn(environment, 'codewhere'));
  const onPath = make(path.join(folder, 'path', path.basename(own)));
  const chosen = make(path.join(folder, 'chosen'));
  const plain = make(path.join(folder, 'plain'), 0o644);
  after(() => fs.rmSync(folder, { recursive: true }));

  const nowhere = { setting: '', ownEnvironment: '/no/such', searchPath: '' };
  for (const [name, places, expected] of [
    ['is the chosen one first', { setting: chosen, ownEnvironment: environment }, chosen],
    ['is then that of the own environment', { ownEnvironment: environment, searchPath: path.dirname(onPath) }, own],
    ['is then that on the PATH', { searchPath: `/no/such${path.delimiter}${path.dirname(onPath)}` }, onPath],
    ['is none where the chosen one is gone, even if there are others', { setting: '/no/such/codewhere', ownEnvironment: environment }, undefined],
    ['is never a folder', { setting: folder }, undefined],
    ['is never a file that cannot be run', { setting: plain }, undefined],
    ['is none where there is none', {}, undefined],
  ] as const) {
    it(name, () => assert.equal(locate({ ...nowhere, ...places }), expected));
  }
  it('is listed once for each folder of the PATH', () => {
    const twice = [path.dirname(onPath), path.dirname(onPath)].join(path.delimiter);
    assert.deepEqual(programsOnPath(['codewhere', 'nothing'], twice), [onPath]);
  });
});
