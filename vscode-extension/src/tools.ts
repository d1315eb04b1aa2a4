/** Choosing a model and a device, and the doctor. */
import * as vscode from 'vscode';

import { runProgram } from './program';
import type { Server } from './server';
import { section } from './settings';
import { megabytes } from './status/text';

const NUMBERED = /^cuda:(\d+)$/;

interface ShippedModel {
  name: string;
  licence: string;
  size_bytes: number;
}

interface Choice extends vscode.QuickPickItem {
  value?: string;
}

export async function chooseModel(server: Server): Promise<void> {
  const current = String(section().get('model'));
  const other: Choice = { label: `$(edit) ${vscode.l10n.t('Another: a Folder or the Name of a Hub Model…')}` };
  const choices: Choice[] = [mark({ label: 'auto', value: 'auto', description: vscode.l10n.t('base where there are a GPU and its backbone, else small') }, current), ...(await models(server, current)), other];
  const choice = await vscode.window.showQuickPick(choices, { title: vscode.l10n.t('Choose a Model'), placeHolder: vscode.l10n.t('The index is made anew for another model; the old one is kept for a while.') });
  if (choice === other) await askForModel(current);
  else if (choice?.value) await save('model', choice.value);
}

export async function chooseDevice(): Promise<void> {
  const current = String(section().get('device'));
  const numbered: Choice = { label: `$(edit) ${vscode.l10n.t('One GPU of Several…')}`, description: NUMBERED.test(current) ? current : '' };
  const devices: Choice[] = [
    { label: 'auto', value: 'auto', description: vscode.l10n.t('a GPU where there is one, else the CPU') },
    { label: 'CPU', value: 'cpu', description: vscode.l10n.t('runs everywhere') },
    { label: 'CUDA', value: 'cuda', description: vscode.l10n.t('a GPU of NVIDIA, or of AMD with ROCm') },
    { label: 'MPS', value: 'mps', description: vscode.l10n.t('the GPU of a Mac') },
  ];
  const choices = [...devices.map(choice => mark(choice, current)), numbered];
  const choice = await vscode.window.showQuickPick(choices, { title: vscode.l10n.t('Choose a Device') });
  if (choice === numbered) await askForGpu(current);
  else if (choice?.value) await save('device', choice.value);
}

/** Writes the doctor's report into the log and shows it. */
export async function runDoctor(server: Server, log: vscode.LogOutputChannel): Promise<void> {
  if (!server.command) {
    await vscode.commands.executeCommand('codewhere.setUp');
    return;
  }
  const command = server.command;
  log.show(true);
  const progress = { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('The doctor looks at codewhere') };
  const { code } = await vscode.window.withProgress(progress, (_, token) => runProgram(command, ['doctor'], line => log.info(line), token));
  log.info(vscode.l10n.t('The doctor ended with code {0}.', code));
}

async function models(server: Server, current: string): Promise<Choice[]> {
  if (!server.command) return [];
  const { code, output } = await runProgram(server.command, ['models', '--json']);
  return code === 0 ? parseModels(output).map(choice => mark(choice, current)) : [];
}

/** The list that `codewhere models --json` prints; empty where it is not one. */
export function parseModels(output: string): Choice[] {
  try {
    const { models } = JSON.parse(output.slice(output.indexOf('{'))) as { models: ShippedModel[] };
    return models.map(({ name, licence, size_bytes }) => ({ label: name, value: name, description: `${licence} • ${megabytes(size_bytes)}` }));
  } catch {
    return [];
  }
}

function mark(choice: Choice, current: string): Choice {
  return choice.value === current ? { ...choice, label: `$(check) ${choice.label}` } : choice;
}

async function askForModel(current: string): Promise<void> {
  const value = await vscode.window.showInputBox({
    title: vscode.l10n.t('Choose a Model'),
    prompt: vscode.l10n.t('A folder with a model, or the name of a model on the hub. A hub model is downloaded; nothing of your code is sent.'),
    value: current,
    validateInput: text => (text.trim() ? undefined : vscode.l10n.t('Write a name or a folder.')),
  });
  if (value) await save('model', value.trim());
}

async function askForGpu(current: string): Promise<void> {
  const number = await vscode.window.showInputBox({
    title: vscode.l10n.t('Choose a Device'),
    prompt: vscode.l10n.t('The number of the GPU. The first one is 0.'),
    value: NUMBERED.exec(current)?.[1] ?? '1',
    validateInput: text => (/^\d+$/.test(text.trim()) ? undefined : vscode.l10n.t('Write a number.')),
  });
  if (number) await save('device', `cuda:${number.trim()}`);
}

/** Both settings belong to the machine, so that no workspace can change them. */
async function save(key: 'model' | 'device', value: string): Promise<void> {
  await section().update(key, value, vscode.ConfigurationTarget.Global);
}
