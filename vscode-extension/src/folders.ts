import { workspace } from 'vscode';

/** The names of the open folders by decoded URI (clients and servers encode differently); empty where there is only one. */
export function folderNames(): Map<string, string> {
  const folders = workspace.workspaceFolders ?? [];
  return new Map(folders.length > 1 ? folders.map(folder => [decodeURIComponent(folder.uri.toString()), folder.name]) : []);
}
