/** Runs programs of the machine where the files are, without a shell. */
import { spawn } from 'node:child_process';
import type { CancellationToken } from 'vscode';

import { messageOf } from './errors';
import { environment } from './settings';

interface Outcome {
  code: number;
  output: string;
}

/** Runs a program to its end; `onLine` sees every line of both its outputs. Cancelling ends it. Never throws. */
export function runProgram(command: string, args: string[], onLine?: (line: string) => void, token?: CancellationToken): Promise<Outcome> {
  return new Promise<Outcome>(resolve => {
    const child = spawn(command, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    let rest = '';
    const take = (data: string): void => {
      output += data;
      const lines = (rest + data).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    };
    // What arrives may end in the middle of a character.
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    token?.onCancellationRequested(() => child.kill());
    child.on('error', error => resolve({ code: -1, output: error.message }));
    child.on('close', code => {
      if (rest) onLine?.(rest);
      resolve({ code: code ?? -1, output });
    });
    // What is no program at all is an exception of `spawn` itself on Windows.
  }).catch((error: unknown) => ({ code: -1, output: messageOf(error) }));
}

/** The command as a person would type it. */
export function commandLine(command: string, args: string[]): string {
  return [command, ...args].map(word => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`)).join(' ');
}
