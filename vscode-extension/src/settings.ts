/** What the person set, as the extension and the server need it. */
import * as vscode from 'vscode';

/** The settings that the server knows under the same name; it checks them itself and says what does not fit. */
const SERVER_SETTINGS = ['limit', 'noTests', 'hover.enabled', 'codeLens.enabled', 'autoIndex', 'watch', 'model'];

/** Those that a folder may have of its own, in its `.codewhere.toml` too; so the defaults of VS Code must not be sent as if they were set. */
const FOLDER_SETTINGS = ['exclude', 'includeText', 'maxFileBytes'];

/** A change of one of these needs a new server process. */
export const RESTART_SETTINGS = ['codewhere.server.path', 'codewhere.home'];

export const LENS_COMMAND = 'codewhere.findSimilarAt';

export function section(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration('codewhere');
}

/** What codewhere runs with: the index that the server keeps is the one that its other commands look at. */
export function environment(): NodeJS.ProcessEnv {
  const home = text('home');
  return { ...process.env, ...(home && { CODEWHERE_HOME: home }) };
}

/** The object that goes to the server: nested, with `null` where the server is to choose the device. */
export function serverSettings(): Record<string, unknown> {
  const settings = section();
  const nested: Record<string, unknown> = {};
  for (const key of SERVER_SETTINGS) put(nested, key.split('.'), settings.get(key));
  for (const key of FOLDER_SETTINGS) put(nested, [key], setForAll(settings.inspect(key)));
  put(nested, ['folders'], Object.fromEntries((vscode.workspace.workspaceFolders ?? []).map(({ uri }) => [uri.toString(), settingsOf(uri)])));
  const device = settings.get('device');
  put(nested, ['device'], device === 'auto' ? null : device);
  put(nested, ['codeLens', 'command'], LENS_COMMAND);
  // VS Code allows no setting `codewhere.trace` beside `codewhere.trace.server`, which the language client reads.
  put(nested, ['trace'], settings.get('trace.times'));
  return nested;
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

/** What a person set for all folders; null where nobody set anything. */
function setForAll(inspected: Inspected): unknown {
  return inspected?.workspaceValue ?? inspected?.globalValue ?? null;
}

/** What a person set for one folder. */
function settingsOf(folder: vscode.Uri): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration('codewhere', folder);
  return Object.fromEntries(FOLDER_SETTINGS.map(key => [key, settings.inspect(key)?.workspaceFolderValue ?? null]));
}

function put(target: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = (target[key] ?? {}) as Record<string, unknown>;
  target[key] = inner;
  put(inner, rest, value);
}

/** Milliseconds of rest after a key before a search goes out. A value that is no number in its range counts as the default. */
export function delay(): number {
  const value = section().get<unknown>('delay');
  return typeof value === 'number' && value >= 0 && value <= 2000 ? value : 120;
}

export function previews(): boolean {
  return section().get<unknown>('preview') !== false;
}

/** A text setting without the blanks around it; empty where it is not a text. */
export function text(key: 'server.path' | 'home' | 'setup.package'): string {
  const value = section().get<unknown>(key);
  return typeof value === 'string' ? value.trim() : '';
}
