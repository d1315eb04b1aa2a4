/** How one result reads, wherever it is shown. */
import { l10n } from 'vscode';

import type { Result } from './protocol';

const ICONS: Record<string, string> = {
  function: 'symbol-function',
  method: 'symbol-method',
  constructor: 'symbol-constructor',
  lambda: 'symbol-function',
  class: 'symbol-class',
  struct: 'symbol-struct',
  interface: 'symbol-interface',
  enum: 'symbol-enum',
  trait: 'symbol-interface',
  module: 'symbol-module',
  text: 'book',
};

const LONGEST_LINE = 160;
const MOST_LINES = 8;

/** The codicon of a kind of function. */
export function iconOf(kind: string): string {
  return ICONS[kind] ?? 'symbol-misc';
}

/** What a person calls it; a block of code or text outside functions has no name, so its file gives one. */
export function nameOf(result: Result): string {
  return result.symbol || result.path.slice(result.path.lastIndexOf('/') + 1);
}

/** `src/net/retry.py:40`, with the folder's name in front where several folders are open. */
export function placeOf(result: Result, folder = ''): string {
  const place = `${result.path}:${result.selectionRange.start.line + 1}`;
  return folder ? `${folder} • ${place}` : place;
}

/** The line of code that answers best: the first highlighted one, else the one with the name, else the first that is not blank. */
export function answerLine(result: Result): string {
  const lines = result.snippet.split(/\r?\n/);
  const candidates = [highlightedLine(result, lines), lines.findIndex(line => line.includes(shortName(result))), lines.findIndex(line => line.trim())];
  const best = candidates.find(index => lines[index]?.trim());
  return best === undefined ? '' : shorten(wholeStatement(lines, best));
}

/** The index of the first highlighted line in the snippet, which is the function without its doc comment; -1 where it has none. */
function highlightedLine({ range, highlights }: Result, lines: string[]): number {
  const [first] = highlights;
  if (!first) return -1;
  const inFile = range.end.line - range.start.line + (range.end.character > 0 ? 1 : 0);
  const index = first.start.line - range.start.line - Math.max(0, inFile - lines.length);
  return Math.max(-1, index);
}

/** `run` of `RetryPolicy.run`, and of Elixir's `RetryPolicy.run/2`; a symbol without name is in no line. */
function shortName({ symbol }: Result): string {
  return /([\p{L}\p{N}_$]+)(?:\/\d+)?$/u.exec(symbol)?.[1] ?? '\n';
}

/** A line that ends with an open bracket or a comma says little, so those after it are joined. */
function wholeStatement(lines: string[], start: number): string {
  let text = '';
  for (const line of lines.slice(start, start + MOST_LINES)) {
    text = `${text} ${line.trim()}`;
    if (!/[([{,]$/.test(text) || text.length > LONGEST_LINE) break;
  }
  return text.trim().replace(/\s+/g, ' ').replace(/([([]) /g, '$1').replace(/,? ([)\]])/g, '$1');
}

function shorten(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line;
}

/** Why it is where it is: the ranks by meaning and by words, and the words. */
export function reasonOf({ why }: Result): string {
  const parts: string[] = [];
  if (why.denseRank !== null) parts.push(l10n.t('number {0} by meaning', why.denseRank));
  if (why.lexicalRank !== null) parts.push(l10n.t('number {0} by words', why.lexicalRank));
  if (why.terms.length > 0) parts.push(l10n.t('words: {0}', why.terms.join(', ')));
  return parts.join(' • ');
}

/** Two parts in plain text for the clipboard: where it is, and the code. */
export function asText(result: Result): string {
  return `${placeOf(result)} ${nameOf(result)}\n${result.snippet}`;
}
