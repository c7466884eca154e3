import { type TemplateResult, html, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import type { StationState } from '../protocol';
import { length } from '../times';
import { isMusic, messageAfterName, nextUp, nowDetail, nowTitle, programmeWords, progress, webAddress } from '../words';
import { mutedIcon, pauseIcon, playIcon, soundIcon, stationsIcon, waitIcon } from './icons';
import { availability, nowPicture, picture, time } from './parts';
import type { PlaybackStatus } from './playback';

/** The pieces of the player's bar, from left to right: values in, templates out. */

type MaybeState = StationState | undefined;

const FACES: Record<PlaybackStatus, readonly [icon: TemplateResult, words: string]> = {
  stopped: [playIcon, 'Play Live Radio'],
  playing: [pauseIcon, 'Pause'],
  waiting: [waitIcon, 'Buffering'],
  connecting: [waitIcon, 'Connecting'],
  retrying: [waitIcon, 'Reconnecting'],
};

export function playButton(status: PlaybackStatus, state: MaybeState, press: () => void): TemplateResult {
  const [icon, words] = FACES[status];
  const hint = status === 'stopped' || status === 'playing' ? `: ${state?.station.name ?? ''}` : ', press to stop';
  return html`<button
    type="button"
    class="play"
    data-testid="play"
    data-status=${status}
    aria-label=${words + hint}
    @click=${press}
  >
    ${icon}<span class="words">${words}</span>
  </button>`;
}

/** The picture and what is heard; `now_ms` is the moment by which the station's condition is told. */
export function nowPlaying(state: MaybeState, now_ms: number, server: URL): TemplateResult {
  const title = state ? nowTitle(state) : 'Live radio';
  const programme = state?.programme ?? null;
  const said = programme?.title === title ? (programme.host ?? '') : programmeWords(programme);
  // What stands second is cut off first where the line is short.
  const lines = [
    html`<bdi data-testid="now-detail">${state && nowDetail(state)}</bdi>`,
    html`<bdi data-testid="programme-title">${said}</bdi>`,
  ];
  return html`${picture(state ? nowPicture(state, server) : null, state?.station.name ?? '')}
    <div class="now">
      <p class="kicker one-line">
        ${state
          ? html`<bdi class="station">${state.station.name}</bdi> ${availability(state, now_ms, 'availability')}`
          : html`<span data-testid="availability">Connecting</span>`}
      </p>
      ${keyed(
        state?.now?.id ?? title,
        html`<div class="fresh">
          <p class="title serif two-lines" data-testid="now-title" dir="auto" title=${title}>${title}</p>
          <p class="detail one-line">${state && isMusic(state) ? lines : lines.reverse()}</p>
        </div>`,
      )}
    </div>`;
}

export function times(state: MaybeState, moment_ms: number): TemplateResult {
  const { elapsed_ms, length_ms } = progress(state?.now, moment_ms);
  const share = length_ms ? elapsed_ms / length_ms : 0;
  return html`<progress class="progress" aria-label="Progress of the item" max="1" .value=${share}></progress>
    <p class="times time">
      <span class="apart">Elapsed</span><span data-testid="elapsed">${length(elapsed_ms)}</span>
      <span class="apart">of</span
      ><span class="length" data-testid="length">${length_ms === null ? 'Live' : length(length_ms)}</span>
    </p>`;
}

export function comingUp(state: MaybeState, moment_ms: number): TemplateResult {
  const next = state && nextUp(state, moment_ms);
  return html`<div class="next" data-testid="next-up">
    <p class="label">Next Up${next ? html` ${time(next.starts_at_ms, state.station.timezone, next.predicted)}` : ''}</p>
    <p class="side two-lines" title=${next?.title ?? nothing}>
      ${next ? html`<bdi class="strong">${next.title}</bdi>` : 'To be announced'}
      ${next?.detail ? html`<bdi class="soft">${next.detail}</bdi>` : nothing}
    </p>
  </div>`;
}

export function support(state: MaybeState, server: URL): TemplateResult {
  const given = state?.supported_by;
  const link = webAddress(given?.link, server);
  const sponsor = html`<bdi class="strong">${given?.sponsor}</bdi>`;
  const message = given && messageAfterName(given);
  return html`<div class="support" data-testid="supported-by">
    <p class="label">Supported by</p>
    <p class="side two-lines" title=${given?.message ?? nothing}>
      ${!given
        ? 'Its listeners'
        : link
          ? html`<a href=${link} target="_blank" rel="noopener sponsored nofollow">${sponsor}</a>`
          : sponsor}
      ${message ? html`<bdi class="soft">${message}</bdi>` : nothing}
    </p>
  </div>`;
}

export interface VolumeControl {
  /** From 0 to 1. */
  readonly level: number;
  readonly muted: boolean;
  readonly mute: () => void;
  readonly set: (event: Event) => void;
}

export function volumeControl(volume: VolumeControl): TemplateResult {
  const { level, muted } = volume;
  return html`<div class="volume">
    <button type="button" class="square" aria-label="Mute" aria-pressed=${muted ? 'true' : 'false'} @click=${volume.mute}>
      ${muted ? mutedIcon : soundIcon}
    </button>
    <input
      type="range"
      min="0"
      max="100"
      aria-label="Volume"
      .value=${String(Math.round(level * 100))}
      @input=${volume.set}
    />
  </div>`;
}

export function stationsButton(open: boolean, press: () => void): TemplateResult {
  return html`<button
    type="button"
    class="stations"
    data-testid="stations-button"
    aria-expanded=${open ? 'true' : 'false'}
    aria-controls="stations"
    @click=${press}
  >
    ${stationsIcon}<span class="words">Available On Air Stations</span>
  </button>`;
}
