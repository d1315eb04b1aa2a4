import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>('codewhere.codewhere');
  assert.ok(extension, 'the extension is not installed');
  return extension.activate();
}

/** Waits until `get` gives something; says what it waited for where it does not. */
export async function until<T>(what: string, get: () => T | undefined | false | Promise<T | undefined | false>, milliseconds = 45_000): Promise<T> {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    const value = await get();
    if (value) return value;
    await sleep(25);
  }
  throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

export async function running(): Promise<Api> {
  const extension = await api();
  await until(`the server runs (it is ${extension.state})`, () => extension.state === 'running' && extension.status !== undefined);
  return extension;
}

export async function configure(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('codewhere').update(key, value, vscode.ConfigurationTarget.Global);
}

/** The server's process ids: the children of the extension host that run `codewhere lsp`. */
export function serverProcesses(): number[] {
  const list = execFileSync('ps', ['-o', 'pid=,ppid=,args=', '-A'], { encoding: 'utf8' }).split('\n');
  return list.map(line => line.trim().split(/\s+/)).filter(([, parent, ...args]) => Number(parent) === process.pid && args.includes('lsp')).map(([pid]) => Number(pid));
}

/** Whether the rows are the answers of the stand-in. */
export const found = (labels: string[]): boolean => labels.some(label => label.includes('backoff_delay'));

/** Opens the search box with a question and waits for rows that fit. */
export async function ask(extension: Api, query: string, fits: (labels: string[]) => boolean): Promise<string[]> {
  await vscode.commands.executeCommand('codewhere.search', query);
  return rows(extension, fits, query);
}

export function rows(extension: Api, fits: (labels: string[]) => boolean, what: string): Promise<string[]> {
  let seen: string[] = [];
  return until(`rows for "${what}"`, () => {
    seen = extension.picker?.rows.map(row => row.label) ?? [];
    return fits(seen) && seen;
  }).catch((error: unknown) => { throw new Error(`${String(error)}\nrows: ${seen.join(' | ')}`); });
}

/** Closes the search box and waits until the editors are as they were; without the wait this would happen in the middle of what comes next. */
export async function closeBox(): Promise<void> {
  const extension = await api();
  await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
  await until('the box is closed', () => !extension.picker);
}

/** What the results view shows, as `file > function` lines. */
export function tree(extension: Api): string[] {
  return extension.results.getChildren().flatMap(node =>
    node.type === 'function' ? [node.result.symbol] : node.functions.map(({ result }) => `${node.path} > ${result.symbol}`));
}

/** The tabs as a person sees them: `>` before the active one of a column, `()` around one in italics. */
export function tabs(): string[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs).map(({ label, isActive, isPreview }) => `${isActive ? '>' : ''}${isPreview ? `(${label})` : label}`);
}

/** Waits until the tabs are these, of which VS Code may tell a little late. */
export async function untilTabs(expected: string[]): Promise<string[]> {
  await until('the tabs', () => tabs().join() === expected.join(), 10_000).catch(() => assert.deepEqual(tabs(), expected));
  return expected;
}
