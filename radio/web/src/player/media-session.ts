import type { StationState } from '../protocol';
import { nowTitle, programmeWords } from '../words';

/** Shows what is heard on the lock screen and headset, and takes their play and pause. */
export class MediaControls {
  #shown = '';

  constructor(
    private readonly play: () => void,
    private readonly stop: () => void,
  ) {}

  /** `picture` is an absolute address. Does nothing when nothing changed. */
  show(state: StationState, picture: string | null): void {
    if (!('mediaSession' in navigator)) return;
    const details = {
      title: nowTitle(state),
      artist: state.now?.artist || programmeWords(state.programme),
      album: state.station.name,
      artwork: picture ? [{ src: picture }] : [],
    };
    const key = JSON.stringify(details);
    if (key === this.#shown) return;
    this.#shown = key;
    navigator.mediaSession.metadata = new MediaMetadata(details);
    navigator.mediaSession.playbackState = 'playing';
    navigator.mediaSession.setActionHandler('play', this.play);
    navigator.mediaSession.setActionHandler('pause', this.stop);
    navigator.mediaSession.setActionHandler('stop', this.stop);
  }

  paused(): void {
    if (!this.#shown) return;
    this.#shown = '';
    navigator.mediaSession.playbackState = 'paused';
  }
}
