/** The little of VS Code that the modules without an editor use. */
export const l10n = {
  t: (message: string, ...values: (string | number)[]): string => message.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])),
};
export const workspace = { getConfiguration: () => ({ get: (): unknown => undefined }) };
export const QuickPickItemKind = { Separator: -1, Default: 0 };
export class ThemeIcon {
  constructor(readonly id: string) {}
}
export class CancellationTokenSource {
  private readonly listeners: (() => void)[] = [];
  readonly token = { isCancellationRequested: false, onCancellationRequested: (listener: () => void): number => this.listeners.push(listener) };
  cancel(): void {
    this.token.isCancellationRequested = true;
    for (const listener of this.listeners) listener();
  }
}
