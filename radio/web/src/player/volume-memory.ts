const KEY = 'nextup-radio-volume';

/** The listener's volume, kept for the next visit where the browser allows it. */
export class VolumeMemory {
  constructor(private readonly audio: Pick<HTMLAudioElement, 'volume' | 'muted'>) {
    const kept = Number(this.#read() ?? NaN);
    if (kept >= 0 && kept <= 1) audio.volume = kept;
  }

  get level(): number {
    return this.audio.volume;
  }

  set level(level: number) {
    this.audio.volume = Math.min(1, Math.max(0, level));
    this.audio.muted = false;
    try {
      localStorage.setItem(KEY, String(this.audio.volume));
    } catch {
      // Storage may be full or forbidden; the volume then lasts for this page.
    }
  }

  get muted(): boolean {
    return this.audio.muted;
  }

  set muted(muted: boolean) {
    this.audio.muted = muted;
  }

  #read(): string | null {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }
}
