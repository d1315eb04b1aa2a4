const STORAGE_KEY = "player.volume";

/** Remember how loud the listener likes it. */
export function saveVolume(level: number): void {
  localStorage.setItem(STORAGE_KEY, String(clampVolume(level)));
}

/** The remembered loudness, or the middle. */
export function loadVolume(): number {
  return clampVolume(Number(localStorage.getItem(STORAGE_KEY) ?? 0.5));
}

function clampVolume(level: number): number {
  return Math.min(1, Math.max(0, level));
}

/** Turn the sound down to silence over some milliseconds. */
export const fadeOut = async (audio: HTMLAudioElement, milliseconds: number): Promise<void> => {
  const start = audio.volume;
  for (let step = 20; step >= 0; step--) {
    audio.volume = (start * step) / 20;
    await new Promise((done) => setTimeout(done, milliseconds / 20));
  }
};
