/** Decides whether a server that ended by itself is started again. */
const MOST_CRASHES = 4;
const WITHIN_MS = 3 * 60_000;

export class CrashLimit {
  private times: number[] = [];

  /** Crashes within the last three minutes. */
  get count(): number {
    return this.times.length;
  }

  /** A person changed something, so the next start counts as the first. */
  forget(): void {
    this.times = [];
  }

  /** Notes a crash at `now` (milliseconds) and says whether one more start is worth it. */
  mayRestart(now: number): boolean {
    this.times = [...this.times.filter(time => now - time < WITHIN_MS), now];
    return this.times.length < MOST_CRASHES;
  }
}
