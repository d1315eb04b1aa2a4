/** The life of the `codewhere lsp` process: start, settings, status, crash, restart, stop. */
import * as vscode from 'vscode';
import { CloseAction, ErrorAction, ExecuteCommandRequest, LanguageClient, RevealOutputChannelOn, State, type StaticFeature } from 'vscode-languageclient/node';

import { CrashLimit } from './crashLimit';
import { locate } from './locate';
import {
  didUpdate, searchRequest, similarRequest, statusRequest,
  type Answer, type SearchParams, type ServerCommand, type SimilarParams, type Status,
} from './protocol';
import { ServerProcess } from './serverProcess';
import { environment, RESTART_SETTINGS, serverSettings, text } from './settings';

const STOP_MS = 5000;
const RESTART_MS = 250;
/** Long enough for a first start from a slow disk on a busy machine. */
const ANSWER_MS = 60_000;

export type ServerState = 'restricted' | 'noFolder' | 'notFound' | 'starting' | 'running' | 'failed';

/** The server shows its progress in our own status bar item; a second one from the client would say the same. */
const NO_PROGRESS: StaticFeature = {
  fillClientCapabilities: capabilities => { capabilities.window = { ...capabilities.window, workDoneProgress: false }; },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

/** What goes wrong is shown in the status bar and the search box; the client's own messages would pop up besides. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

interface Session {
  process: ServerProcess;
  client: LanguageClient;
}

export class Server implements vscode.Disposable {
  state: ServerState = 'starting';
  /** Why the state is `failed`, or `notFound` though a path is set. */
  failure = '';
  status: Status | undefined;
  /** The program that runs, or would run. */
  command: string | undefined;

  private session: Session | undefined;
  private sent = '';
  private readonly crashes = new CrashLimit();
  private work: Promise<void> = Promise.resolve();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly disposables: vscode.Disposable;
  /** Fires when the state or the status is another. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly log: vscode.LogOutputChannel, private readonly ownEnvironment: string) {
    this.disposables = vscode.Disposable.from(
      this.changed,
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.restart()),
      vscode.workspace.onDidChangeWorkspaceFolders(() => { if (this.state === 'noFolder') void this.restart(); }),
      vscode.workspace.onDidChangeConfiguration(event => void this.configure(event)),
    );
  }

  /** Starts the server anew; several calls run one after the other. One that never came up is not waited for. */
  restart(): Promise<void> {
    this.crashes.forget();
    if (this.state === 'starting' && this.session) {
      const { process } = this.session;
      this.session = undefined;
      void process.end();
    }
    return this.again();
  }

  private again(): Promise<void> {
    this.work = this.work.then(async () => {
      await this.stop();
      await this.start();
    }).catch((error: unknown) => this.log.error(String(error)));
    return this.work;
  }

  search(params: SearchParams, token: vscode.CancellationToken): Promise<Answer> {
    return this.running().sendRequest(searchRequest, params, token);
  }

  similar(params: SimilarParams, token: vscode.CancellationToken): Promise<Answer> {
    return this.running().sendRequest(similarRequest, params, token);
  }

  /** For the folder with the URI `root`, or for all that are open. */
  async run(command: ServerCommand, root?: string): Promise<void> {
    const params = { command: `codewhere.server.${command}`, arguments: root ? [root] : [] };
    this.accept((await this.running().sendRequest(ExecuteCommandRequest.type, params)) as Status);
  }

  /** Ends the server; its last work is written before. */
  async stop(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    this.status = undefined;
    if (!session) return;
    if (session.client.state === State.Running) await session.client.dispose(STOP_MS).catch((error: unknown) => this.log.warn(String(error)));
    await session.process.end();
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private async start(): Promise<void> {
    const setting = text('server.path');
    this.command = locate({ setting, ownEnvironment: this.ownEnvironment, searchPath: process.env['PATH'] ?? '' });
    this.failure = setting && !this.command ? vscode.l10n.t('The setting codewhere.server.path names {0}, which is no program.', setting) : '';
    this.enter(this.obstacle() ?? 'starting');
    if (this.state === 'starting' && this.command) await this.launch(this.command);
  }

  /** The state in which no server is started. */
  private obstacle(): ServerState | undefined {
    if (!vscode.workspace.isTrusted) return 'restricted';
    if (!vscode.workspace.workspaceFolders?.length) return 'noFolder';
    return this.command ? undefined : 'notFound';
  }

  /** Comes back when the server runs, has ended or is given up. */
  private async launch(command: string): Promise<void> {
    this.log.info(`${command} lsp`);
    let server: ServerProcess;
    try {
      server = new ServerProcess(command, environment());
    } catch (error) { // what is no program at all, on Windows
      this.failure = `${command}: ${String(error)}`;
      this.enter('failed');
      return;
    }
    const session = { process: server, client: this.newClient(server) };
    this.session = session;
    const ended = server.ended.then(reason => this.crashed(session, reason));
    const started = session.client.start().then(() => this.started(session));
    let timer: NodeJS.Timeout | undefined;
    // Who tries again then need not wait until a program that hangs is gone.
    const late = new Promise<void>(resolve => { timer = setTimeout(() => { this.giveUp(session); resolve(); }, ANSWER_MS); });
    await Promise.race([ended, late, started.catch(async (error: unknown) => {
      this.log.warn(String(error));
      // It may have refused to begin and live on, and would be said to be starting for good.
      await server.end();
      await ended;
    })]).finally(() => clearTimeout(timer));
  }

  /** The program runs but says nothing, so it is most likely no codewhere; starting it again by itself would take as long. */
  private giveUp(session: Session): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.failure = vscode.l10n.t('{0} did not answer within {1} seconds. Check that the setting codewhere.server.path names the codewhere program, then restart the server.', this.command ?? '', ANSWER_MS / 1000);
    this.log.error(this.failure);
    this.enter('failed');
    void session.process.end();
  }

  private newClient(server: ServerProcess): LanguageClient {
    const client = new QuietClient('codewhere', 'codewhere', () => Promise.resolve(server.child), {
      documentSelector: [{ scheme: 'file' }],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: () => this.take(serverSettings()),
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
      middleware: {
        workspace: { configuration: params => params.items.map(item => (item.section === 'codewhere' ? serverSettings() : null)) },
      },
    });
    client.registerFeature(NO_PROGRESS);
    client.onNotification(didUpdate, status => { if (this.session?.client === client) this.accept(status); });
    return client;
  }

  private async started(session: Session): Promise<void> {
    if (this.session !== session) return;
    this.failure = '';
    this.enter('running');
    try {
      if (this.sent !== JSON.stringify(serverSettings())) await this.sendSettings();
      const status = await session.client.sendRequest(statusRequest, {});
      if (this.session === session) this.accept(status);
    } catch (error) {
      this.log.warn(String(error));
    }
  }

  /** The process ended though nobody asked it to. */
  private crashed(session: Session, reason: string): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.status = undefined;
    this.log.warn(`codewhere lsp ${reason}`);
    if (this.crashes.mayRestart(Date.now())) {
      this.enter('starting');
      setTimeout(() => { if (!this.session) void this.again(); }, RESTART_MS);
    } else {
      this.failure = vscode.l10n.t('It ended {0} times within three minutes ({1}).', this.crashes.count, reason);
      this.enter('failed');
    }
  }

  private async configure(event: vscode.ConfigurationChangeEvent): Promise<void> {
    if (!event.affectsConfiguration('codewhere')) return;
    if (RESTART_SETTINGS.some(setting => event.affectsConfiguration(setting))) return this.restart();
    if (this.state === 'running') await this.sendSettings();
  }

  private async sendSettings(): Promise<void> {
    await this.session?.client.sendNotification('workspace/didChangeConfiguration', { settings: { codewhere: this.take(serverSettings()) } });
  }

  /** Remembers the settings that a server is given: they may change while it starts. */
  private take(settings: object): object {
    this.sent = JSON.stringify(settings);
    return settings;
  }

  private running(): LanguageClient {
    if (!this.session || this.state !== 'running') throw new Error(vscode.l10n.t('The server does not run.'));
    return this.session.client;
  }

  private accept(status: Status): void {
    this.status = status;
    this.changed.fire();
  }

  private enter(state: ServerState): void {
    this.state = state;
    this.changed.fire();
  }
}
