/** What a person without codewhere is told at the first start. */
import * as vscode from 'vscode';

import type { ServerState } from './server';

const WELCOMED = 'codewhere.welcomed';

/**
 * Says once that the program is not there, with the ways on. A walkthrough that opened by itself would take the focus, and the place
 * of a tab in italics; for those who installed the extension in this window VS Code opens it by itself, unless they want none.
 */
export async function welcome(state: ServerState, memory: vscode.Memento): Promise<void> {
  if (state !== 'notFound' || memory.get<boolean>(WELCOMED)) return;
  await memory.update(WELCOMED, true);
  const setUp = vscode.l10n.t('Set Up codewhere…');
  const walkthrough = vscode.l10n.t('Open the Walkthrough');
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t('The codewhere program was not found on this machine.'), setUp, walkthrough);
  if (answer) await vscode.commands.executeCommand(answer === setUp ? 'codewhere.setUp' : 'codewhere.openWalkthrough');
}
