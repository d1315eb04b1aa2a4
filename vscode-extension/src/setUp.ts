/** Finds `codewhere` on this machine, or makes a Python environment with it after asking. */
import * as vscode from 'vscode';

import { programIn, programsOnPath } from './locate';
import { commandLine, runProgram } from './program';
import type { Server } from './server';
import { section, text } from './settings';

/** The newest that PyTorch has wheels for come first. */
const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'];
const CHECK = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))';

interface Choice extends vscode.QuickPickItem {
  run: () => Promise<void>;
}

export class SetUp {
  constructor(private readonly server: Server, private readonly log: vscode.LogOutputChannel, private readonly environment: string) {}

  async run(): Promise<void> {
    const choices: Choice[] = [
      {
        label: `$(add) ${vscode.l10n.t('Create a Python Environment for codewhere…')}`,
        detail: vscode.l10n.t('Shows the commands and asks before it runs them.'),
        run: () => this.create(),
      },
      {
        label: `$(file-binary) ${vscode.l10n.t('Choose the codewhere Program…')}`,
        detail: vscode.l10n.t('For a codewhere that is installed already, for example in an environment of yours.'),
        run: () => this.choose(),
      },
    ];
    if (text('server.path')) {
      choices.push({
        label: `$(search) ${vscode.l10n.t('Find It by Itself')}`,
        detail: vscode.l10n.t('Forgets the chosen program and looks in the environment made here and on the PATH.'),
        run: () => this.remember(undefined),
      });
    }
    const placeHolder = this.server.command ? vscode.l10n.t('In use: {0}', this.server.command) : vscode.l10n.t('codewhere was not found on this machine');
    // The walkthrough behind the choice may take the focus while it is being drawn.
    const choice = await vscode.window.showQuickPick(choices, { title: vscode.l10n.t('Set Up codewhere'), placeHolder, ignoreFocusOut: true });
    await choice?.run();
  }

  private async choose(): Promise<void> {
    const chosen = await vscode.window.showOpenDialog({ title: vscode.l10n.t('Choose the codewhere program'), openLabel: vscode.l10n.t('Use This Program') });
    if (chosen?.[0]) await this.remember(chosen[0].fsPath);
  }

  private async create(): Promise<void> {
    const python = await findPython();
    if (!python) {
      void vscode.window.showErrorMessage(vscode.l10n.t('Python 3.10 or newer with the module venv was not found on this machine. Install it and try again.'));
      return;
    }
    const steps = this.commands(python);
    if (!(await this.agreed(steps))) return;
    const progress = { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Setting up codewhere'), cancellable: true };
    // Windows replaces no program that runs.
    await this.server.stop();
    const done = await vscode.window.withProgress(progress, (report, token) => this.execute(steps, line => report.report({ message: line }), token));
    await (done ? this.remember(undefined) : this.server.restart());
  }

  private commands(python: string): string[][] {
    const own = programIn(this.environment, 'python');
    return [[python, '-m', 'venv', this.environment], [own, '-m', 'pip', 'install', '--upgrade', text('setup.package') || 'codewhere']];
  }

  private async agreed(steps: string[][]): Promise<boolean> {
    const lines = steps.map(([command = '', ...args]) => commandLine(command, args)).join('\n');
    const create = vscode.l10n.t('Create');
    const copy = vscode.l10n.t('Copy the Commands');
    const detail = vscode.l10n.t(
      'These commands run on the machine where your files are:\n\n{0}\n\npip downloads codewhere and PyTorch (about 1 GB). Once this is done codewhere needs no network, and nothing of your code leaves the machine.',
      lines,
    );
    const answer = await vscode.window.showInformationMessage(vscode.l10n.t('Create a Python environment for codewhere?'), { modal: true, detail }, create, copy);
    if (answer === copy) await vscode.env.clipboard.writeText(lines);
    return answer === create;
  }

  private async execute(steps: string[][], onLine: (line: string) => void, token: vscode.CancellationToken): Promise<boolean> {
    for (const [command = '', ...args] of steps) {
      this.log.info(commandLine(command, args));
      const { code, output } = await runProgram(command, args, line => { this.log.info(line); onLine(line.slice(0, 80)); }, token);
      if (token.isCancellationRequested) return false;
      if (code !== 0) return this.failed(output);
    }
    return true;
  }

  private async failed(output: string): Promise<boolean> {
    const show = vscode.l10n.t('Show the Log');
    const last = output.trim().split('\n').at(-1) ?? '';
    const answer = await vscode.window.showErrorMessage(vscode.l10n.t('Setting up codewhere failed: {0}', last), show);
    if (answer === show) this.log.show();
    return false;
  }

  /** Writes the setting and starts the server with it; undefined takes the program that is found by itself. */
  private async remember(program: string | undefined): Promise<void> {
    if (text('server.path') !== (program ?? '')) await section().update('server.path', program, vscode.ConfigurationTarget.Global);
    await this.server.restart();
    if (this.server.state === 'running') void vscode.window.showInformationMessage(vscode.l10n.t('codewhere is set up and runs.'));
  }
}

async function findPython(): Promise<string | undefined> {
  for (const python of programsOnPath(PYTHONS, process.env['PATH'] ?? '').sort(byPreference)) {
    const { code } = await runProgram(python, ['-c', CHECK]);
    if (code === 0) return python;
  }
  return undefined;
}

function byPreference(left: string, right: string): number {
  const rank = (file: string): number => PYTHONS.findIndex(name => file.replace(/\.exe$/, '').endsWith(name));
  return rank(left) - rank(right);
}
