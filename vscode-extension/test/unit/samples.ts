import type { Answer, Result, RootStatus, Status } from '../../src/protocol';

export function result(changes: Partial<Result> = {}): Result {
  const line = (number: number): Result['range'] => ({ start: { line: number, character: 0 }, end: { line: number, character: 9 } });
  return {
    uri: 'file:///work/a/src/net/retry.py', range: { start: { line: 39, character: 0 }, end: { line: 42, character: 0 } }, selectionRange: line(39),
    path: 'src/net/retry.py', root: 'file:///work/a', symbol: 'RetryPolicy.run', kind: 'method', language: 'python', score: 0.8,
    snippet: 'def run(self):\n    delay = self.base\n    sleep(delay * 2)', why: { denseRank: 1, lexicalRank: null, terms: [], signals: {} }, highlights: [],
    ...changes,
  };
}

export function answer(results: Result[] = [], changes: Partial<Answer> = {}): Answer {
  return { query: 'q', coverage: 1, elapsedMs: 12.4, notes: [], results, ...changes };
}

export function root(changes: Partial<RootStatus> = {}): RootStatus {
  return { uri: 'file:///work/a', name: 'a', files: 10, functions: 100, embedded: 100, coverage: 1, state: 'idle', message: '', etaSeconds: null, ...changes };
}

export function status(roots: RootStatus[], changes: Partial<Status> = {}): Status {
  return { roots, model: 'small', modelState: 'ready', device: 'cpu', version: '0.1.0', diskBytes: 18_350_080, ...changes };
}
