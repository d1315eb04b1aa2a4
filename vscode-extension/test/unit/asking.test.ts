import assert from 'node:assert/strict';

import type { Answer } from '../../src/protocol';
import { Asking } from '../../src/search/asking';
import { History } from '../../src/search/history';
import type { Row } from '../../src/search/rows';
import { titleOf } from '../../src/search/title';
import type { Server } from '../../src/server';
import { answer, result, root, status } from './samples';

/** A box over a server that answers every question with one function of its name, after as many milliseconds as the question has letters. */
function open(search = (query: string): Answer => answer([result({ symbol: query })], { query })): { asking: Asking; box: { value: string; busy: boolean }; shown: string[][] } {
  const box = { value: '', busy: false };
  const shown: string[][] = [];
  const wait = (query: string): Promise<void> => new Promise(resolve => setTimeout(resolve, query.length));
  const server = { state: 'running', failure: '', status: undefined, search: ({ query }: { query: string }) => wait(query).then(() => search(query)) };
  const history = new History({ get: (_: string, other?: unknown) => other, update: () => Promise.resolve(), keys: () => [] } as never);
  const present = (rows: Row[]): void => { shown.push(rows.map(({ label }) => label.replace(/^\$\(.*\) /, ''))); };
  return { asking: new Asking(server as unknown as Server, history, box, { isChoosing: () => false, present }), box, shown };
}

describe('asking', () => {
  it('shows the answer to what was typed last, and no other', async () => {
    const { asking, box, shown } = open();
    for (const value of ['a longer question', 'short']) {
      asking.put(value, 0);
    }
    assert.equal(box.busy, true);
    assert.equal(await asking.answered(), true);
    assert.deepEqual(shown, [['short']]);
    assert.deepEqual([box.busy, asking.answer?.query], [false, 'short']);
  });
  it('waits for what is typed while it waits', async () => {
    const { asking, shown } = open();
    asking.put('before', 0);
    const answered = asking.answered();
    asking.typed('afterwards', 5);
    await answered;
    assert.deepEqual(shown, [['afterwards']]);
  });
  it('waits no longer once the box is closed', async () => {
    const { asking, shown } = open();
    asking.put('a question', 0);
    const answered = asking.answered();
    asking.dispose();
    assert.equal(await answered, false);
    assert.deepEqual(shown, []);
  });
  it('does not ask what was put into the box when VS Code tells of it, late or not', async () => {
    const { asking, box, shown } = open();
    asking.put('first', 0);
    asking.put('second', 0);
    box.value = 'first';
    for (const told of ['first', 'second', 'second']) asking.typed(told, 0);
    await asking.answered();
    assert.deepEqual(shown, [['second']]);
    asking.typed('first', 0);
    await asking.answered();
    assert.deepEqual(shown, [['second'], ['first']], 'typed after all');
  });
  it('says what went wrong, and behind the answers what there is to say', async () => {
    const broken = open(() => { throw new Error('the index is broken'); });
    const noted = open(query => answer([result()], { query, notes: ['two is not indexed yet.'] }));
    for (const { asking } of [broken, noted]) {
      asking.put('a question', 0);
      await asking.answered();
    }
    assert.deepEqual(broken.shown, [['the index is broken']]);
    assert.deepEqual(noted.shown, [['RetryPolicy.run', 'two is not indexed yet.']]);
    assert.equal(broken.asking.answer, undefined);
  });
});

describe('the title of the search box', () => {
  const ready = status([root()]);
  for (const [given, known, expected] of [
    [undefined, undefined, 'codewhere'],
    [undefined, status([root({ embedded: 40, coverage: 0.4 })]), 'codewhere • 40 % searched by meaning'],
    [answer([result()]), ready, 'codewhere • 1 answer in 12 ms'],
    [answer([result(), result()], { coverage: 0.5 }), ready, 'codewhere • 2 answers in 12 ms • 50 % searched by meaning'],
    [answer(), status([root()], { modelState: 'failed' }), 'codewhere • 0 answers in 12 ms • words only'],
  ] as const) {
    it(`is "${expected}"`, () => assert.equal(titleOf(given, known), expected));
  }
});
