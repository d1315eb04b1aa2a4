/** Finds the `codewhere` command on the machine where the files are. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const WINDOWS = process.platform === 'win32';

interface Places {
  /** The setting `codewhere.server.path`; where it is set nothing else is tried. */
  setting: string;
  /** The environment that the extension made itself. */
  ownEnvironment: string;
  /** The value of PATH. */
  searchPath: string;
}

/** The command to run, or undefined where there is none (or where the setting names no program). */
export function locate(places: Places): string | undefined {
  if (places.setting) return firstProgram([expandHome(places.setting)]);
  const onPath = places.searchPath.split(path.delimiter).filter(Boolean).map(folder => path.join(folder, programName('codewhere')));
  return firstProgram([programIn(places.ownEnvironment, 'codewhere'), ...onPath]);
}

/** Where a virtual environment keeps a program. */
export function programIn(environment: string, name: string): string {
  return path.join(environment, WINDOWS ? 'Scripts' : 'bin', programName(name));
}

/** Every program of these names on a search path, in its order, each once. */
export function programsOnPath(names: string[], searchPath: string): string[] {
  const folders = searchPath.split(path.delimiter).filter(Boolean);
  const files = folders.flatMap(folder => names.map(name => path.join(folder, programName(name))));
  return [...new Set(files.filter(isProgram))];
}

function programName(name: string): string {
  return WINDOWS ? `${name}.exe` : name;
}

function firstProgram(files: string[]): string | undefined {
  return files.find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function expandHome(file: string): string {
  return file.startsWith('~') ? path.join(os.homedir(), file.slice(1)) : file;
}
