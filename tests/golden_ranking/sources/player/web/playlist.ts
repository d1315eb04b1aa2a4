/** A song as the server describes it. */
export interface Track {
  id: string;
  title: string;
  seconds: number;
}

/** The list of songs that play one after the other. */
export class Playlist {
  private order: number[] = [];

  constructor(private tracks: Track[]) {
    this.order = tracks.map((_, index) => index);
  }

  /** Put the songs in random order (Fisher and Yates). */
  shuffle(random: () => number = Math.random): void {
    for (let last = this.order.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      [this.order[last], this.order[other]] = [this.order[other], this.order[last]];
    }
  }

  /** The song after this one, or the first again at the end. */
  next(current: number): Track {
    return this.tracks[this.order[(current + 1) % this.order.length]];
  }
}

/** Seconds as minutes and seconds for the display. */
export function formatDuration(seconds: number): string {
  const rest = Math.floor(seconds % 60);
  return `${Math.floor(seconds / 60)}:${String(rest).padStart(2, "0")}`;
}
