/** One `codewhere lsp` process. */
import { spawn, type ChildProcess } from 'node:child_process';

const PATIENCE_MS = 3000;

export class ServerProcess {
  readonly child: ChildProcess;
  /** Settles with a sentence when the process has ended, or could not be started. */
  readonly ended: Promise<string>;
  private over = false;

  constructor(command: string, env: NodeJS.ProcessEnv) {
    this.child = spawn(command, ['lsp'], { env, windowsHide: true });
    this.ended = new Promise<string>(resolve => {
      this.child.once('error', error => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `ended with code ${code ?? 0}`));
    }).finally(() => { this.over = true; });
  }

  /** Ends the process if it still runs, at last by force. */
  async end(): Promise<void> {
    if (this.over) return;
    this.child.kill();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(timer);
  }
}
