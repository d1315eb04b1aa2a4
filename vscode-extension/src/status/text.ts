/** The words of the status bar. */
import { l10n } from 'vscode';

import type { RootStatus, Status } from '../protocol';
import type { ServerState } from '../server';

const CELLS = 8;
const LONGEST_MODEL = 24;

/** 0.4 → `40 %`; only what is complete is called 100 %. */
export function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** Seconds as a person says them; empty where they are not known. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 60) return l10n.t('{0} s left', Math.max(1, Math.round(seconds)));
  if (seconds < 3600) return l10n.t('{0} min left', Math.round(seconds / 60));
  return l10n.t('{0} h left', Math.round(seconds / 3600));
}

/** `▰▰▰▱▱▱▱▱` */
export function bar(share: number): string {
  const full = Math.floor(share * CELLS);
  return '▰'.repeat(full) + '▱'.repeat(CELLS - full);
}

export function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Coverage over all roots, weighted by their functions. */
export function overall(roots: RootStatus[]): number {
  const functions = sum(roots.map(root => root.functions));
  return functions === 0 ? 1 : sum(roots.map(root => root.embedded)) / functions;
}

interface Label {
  text: string;
  severity: 'plain' | 'warning' | 'error';
}

/** What the status bar item says. */
export function label(state: ServerState, status: Status | undefined): Label {
  switch (state) {
    case 'restricted':
      return plain('$(shield) codewhere');
    case 'noFolder':
      return plain('$(search) codewhere');
    case 'notFound':
      return { text: `$(warning) ${l10n.t('codewhere: set up')}`, severity: 'warning' };
    case 'failed':
      return { text: '$(error) codewhere', severity: 'error' };
    case 'starting':
      return plain('$(sync~spin) codewhere');
    case 'running':
      return status ? ofStatus(status) : plain('$(sync~spin) codewhere');
  }
}

function ofStatus({ roots, modelState, model, device }: Status): Label {
  if (roots.some(root => root.state === 'error')) return { text: '$(error) codewhere', severity: 'error' };
  if (modelState === 'loading' || roots.some(root => root.state === 'indexing')) return plain(`$(sync~spin) codewhere ${progress(roots)}`);
  if (roots.some(root => root.state === 'paused')) return plain(`$(debug-pause) codewhere ${percent(overall(roots))}`);
  if (modelState === 'failed') return { text: `$(warning) ${l10n.t('codewhere: words only')}`, severity: 'warning' };
  const share = overall(roots);
  const engine = model ? `: ${shortModel(model)}${device ? ` (${isCpu(device) ? 'CPU' : 'GPU'})` : ''}` : '';
  return plain(`$(search) codewhere${engine}${share < 1 ? ` ${percent(share)}` : ''}`);
}

/** The last part of a folder or of the name of a hub model, short enough for the status bar. */
function shortModel(model: string): string {
  const name = model.split(/[\\/]/).filter(Boolean).at(-1) ?? model;
  return name.length > LONGEST_MODEL ? `${name.slice(0, LONGEST_MODEL - 1)}…` : name;
}

function progress(roots: RootStatus[]): string {
  // Before anything was parsed nothing is known to be left, yet nothing is done.
  const share = roots.some(root => root.functions > 0) ? overall(roots) : 0;
  const longest = Math.max(...roots.map(root => root.etaSeconds ?? -1));
  return [bar(share), percent(share), timeLeft(longest < 0 ? null : longest)].filter(Boolean).join(' ');
}

/** The state of one folder in a sentence. */
export function describeRoot(root: RootStatus): string {
  const counts = l10n.t('files: {0}, functions: {1}, searched by meaning: {2}', root.files, root.functions, percent(root.coverage));
  return [counts, timeLeft(root.etaSeconds), root.message].filter(Boolean).join(' • ');
}

/** What runs where, in one line: model, device, version, disk. */
export function describeMachine({ model, modelState, device, version, diskBytes }: Status): string {
  const loaded = modelState === 'failed' ? l10n.t('no model') : (model ?? l10n.t('model is loading'));
  return [loaded, deviceName(device), l10n.t('{0} on disk', megabytes(diskBytes)), `codewhere ${version}`].filter(Boolean).join(' • ');
}

export function deviceName(device: string | null): string {
  if (!device) return '';
  return isCpu(device) ? 'CPU' : `GPU (${device})`;
}

function isCpu(device: string): boolean {
  return device.startsWith('cpu');
}

/** The state of the server in a sentence, for the tooltip and for screen readers. */
export function sentence(state: ServerState, failure: string): string {
  switch (state) {
    case 'restricted':
      return l10n.t('Nothing runs in Restricted Mode, because this folder is not trusted.');
    case 'noFolder':
      return l10n.t('No folder is open.');
    case 'notFound':
      return failure || l10n.t('The codewhere program was not found on this machine.');
    case 'failed':
      return `${l10n.t('The server does not run.')} ${failure}`.trim();
    case 'starting':
      return l10n.t('The server is starting.');
    case 'running':
      return l10n.t('The server runs.');
  }
}

function plain(text: string): Label {
  return { text, severity: 'plain' };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
