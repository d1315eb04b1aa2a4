/** The requests and notifications that `codewhere lsp` adds to LSP; docs/protocol.md of the project describes them. */
import { NotificationType, RequestType, type Position, type Range, type TextDocumentIdentifier } from 'vscode-languageclient/node';

export interface SearchParams {
  query: string;
}

export interface SimilarParams {
  textDocument: TextDocumentIdentifier;
  position?: Position;
  range?: Range;
}

export interface Why {
  denseRank: number | null;
  lexicalRank: number | null;
  terms: string[];
  signals: Record<string, number>;
}

/** One function that answers. Lines and characters are 0-based, as everywhere in LSP. */
export interface Result {
  uri: string;
  range: Range;
  selectionRange: Range;
  path: string;
  root: string;
  symbol: string;
  kind: string;
  language: string;
  score: number;
  snippet: string;
  why: Why;
  highlights: Range[];
}

export interface Answer {
  query: string;
  /** Functions with a vector ÷ functions, over the roots searched. */
  coverage: number;
  elapsedMs: number;
  notes: string[];
  results: Result[];
}

export interface RootStatus {
  uri: string;
  name: string;
  files: number;
  functions: number;
  embedded: number;
  coverage: number;
  state: 'idle' | 'indexing' | 'paused' | 'error';
  message: string;
  etaSeconds: number | null;
}

export interface Status {
  roots: RootStatus[];
  model: string | null;
  modelState: 'loading' | 'ready' | 'failed';
  device: string | null;
  version: string;
  diskBytes: number;
}

export const searchRequest = new RequestType<SearchParams, Answer, void>('codewhere/search');
export const similarRequest = new RequestType<SimilarParams, Answer, void>('codewhere/similar');
export const statusRequest = new RequestType<object, Status, void>('codewhere/status');
export const didUpdate = new NotificationType<Status>('codewhere/didUpdate');

export type ServerCommand = 'reindex' | 'pause' | 'resume';
