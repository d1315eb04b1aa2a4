import { Injectable } from '@angular/core';

/** Options of the service. */
export interface Options<T = unknown> extends Base {
  /** Where to. */
  url: string;
  retries?: number;
  onError(error: Error): void;
}

export type Result = { ok: boolean; value?: string };

type Alias = string | number;

export enum Level {
  Low = 1,
  High,
}

declare module 'legacy' {
  export function old(a: string): void;
}

namespace Util {
  /** Clamp a number. */
  export function clamp(x: number, low = 0, high = 1): number {
    return Math.min(high, Math.max(low, x));
  }
}

/**
 * Talks to the server.
 */
@Injectable({ providedIn: 'root' })
export class Service<T extends Options> implements OnInit {
  private readonly cache = new Map<string, T>();

  constructor(private http: Http) {}

  /** Fetch one. */
  @Memo()
  async fetch<K extends keyof T>(key: K): Promise<T[K]> {
    return (await this.http.get(key as string)) as T[K];
  }

  abstractless?(): void;

  handler = async (event: Event): Promise<void> => {
    await this.fetch('x' as keyof T);
  };
}

export abstract class Shape {
  abstract area(): number;
  name(): string { return 'shape'; }
}

export function format(value: string): string;
export function format(value: number): string;
/** The implementation. */
export function format(value: unknown): string {
  return String(value);
}

export const identity = <T,>(value: T): T => value;

export default (value: number) => value + 1;
