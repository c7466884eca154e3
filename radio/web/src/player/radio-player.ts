import { type PropertyDeclarations, type PropertyValues, type TemplateResult, html, nothing, unsafeCSS } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import type { StationState } from '../protocol';
import { pastMoment, length } from '../times';
import {
  availabilityWords,
  isMusic,
  isWell,
  messageAfterName,
  nextUp,
  nowDetail,
  nowTitle,
  programmeWords,
  progress,
  webAddress,
} from '../words';
import { mutedIcon, pauseIcon, playIcon, soundIcon, stationsIcon, waitIcon } from './icons';
import { MediaControls } from './media-session';
import type { Receiver } from './network';
import { OneAtATime } from './one-at-a-time';
import { availability, nowPicture, picture, time } from './parts';
import { Playback } from './playback';
import { RadioElement, sharedStyles } from './radio-element';
import styles from './radio-player.css?inline';
import { stationsPanel } from './stations-panel';
import { VolumeMemory } from './volume-memory';

/** What the player's events say about the station they concern. */
export interface TuneDetail {
  readonly station: string | undefined;
  readonly name: string | undefined;
  readonly timezone: string | undefined;
}

/**
 * The "Play Live Radio" bar. Attributes: `server`, `station` (the first one tuned), `stations` (ids to offer,
 * separated by spaces or commas), `layout` (`bar` at the foot of the window, or `compact` in the page's flow).
 * Fires `radio-tune`, `radio-play` and `radio-stop` with a TuneDetail.
 */
export class RadioPlayer extends RadioElement implements Receiver {
  static override properties: PropertyDeclarations = {
    ...RadioElement.properties,
    station: {},
    stations: {},
    layout: { reflect: true },
    chosen: { state: true },
    open: { state: true },
  };
  static override styles = [...sharedStyles, unsafeCSS(styles)];

  declare station: string | null;
  declare stations: string | null;
  declare layout: 'bar' | 'compact';
  declare chosen: string | null;
  declare open: boolean;

  readonly #audio = new Audio();
  readonly #volume = new VolumeMemory(this.#audio);
  readonly #controls = new MediaControls(() => this.play(), () => this.stop());
  readonly #resize = new ResizeObserver(() => this.#reserve());
  #one: OneAtATime | null = null;
  #playback: Playback | null = null;
  #session: string | null = null;
  #told: string | null = null;
  #wasLive = false;

  constructor() {
    super();
    this.station = this.stations = this.chosen = null;
    this.layout = 'bar';
    this.open = false;
    this.#audio.preload = 'none';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#one = new OneAtATime(() => this.stop());
    this.#playback ??= new Playback({
      audio: this.#audio,
      server: this.network.server,
      streams: () => this.#state?.station.streams ?? [],
      changed: () => this.networkChanged(),
      session: (session) => this.#follow(session),
    });
    this.network.receivers.add(this);
    addEventListener('online', this.#online);
    document.addEventListener('pointerdown', this.#pointer);
    this.#resize.observe(this);
  }

  override disconnectedCallback(): void {
    this.stop();
    this.network.receivers.delete(this);
    super.disconnectedCallback();
    this.#one?.close();
    removeEventListener('online', this.#online);
    document.removeEventListener('pointerdown', this.#pointer);
    this.#resize.disconnect();
  }

  /** The id of the station that is shown and would be played. */
  get tuned(): string | null {
    const offered = this.#offered;
    const wanted = this.chosen ?? this.station;
    // Before the list is known, and where a page offers one station only, the wish stands.
    return wanted && (offered.includes(wanted) || offered.length === 0) ? wanted : (offered[0] ?? null);
  }

  get heard_ms(): number | null {
    return this.#playback?.heard_ms ?? null;
  }

  hear(session: string, stream_time_ms: number): void {
    this.#playback?.listening(session, stream_time_ms);
  }

  play(): void {
    if (!this.tuned || !this.#playback || !this.#state) return;
    this.#one?.claim();
    this.#playback.play();
    this.#tell('radio-play');
  }

  stop(): void {
    if (!this.#playback?.isOn) return;
    this.#playback.stop();
    this.#tell('radio-stop');
  }

  /** Changes to a station; with `play`, or when another one is being heard, plays it. */
  tune(station: string, play = false): void {
    const isOn = this.#playback?.isOn ?? false;
    const isNew = station !== this.tuned;
    if (isNew) {
      this.#playback?.stop();
      this.chosen = station;
    }
    if ((play && !isOn) || (isNew && isOn)) this.play();
  }

  override networkChanged(): void {
    this.requestUpdate();
    const isLive = this.network.feed.status === 'live';
    // Where push has come back the stream has too, mostly; and it need not wait for its next attempt.
    if (isLive && !this.#wasLive) this.#playback?.nudge();
    this.#wasLive = isLive;
    const state = this.#state;
    if (state && state.station.id !== this.#told) {
      this.#told = state.station.id;
      this.#tell('radio-tune');
    }
    if (state && this.#playback?.isOn) this.#controls.show(state, nowPicture(state, this.network.server));
    else this.#controls.paused();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('station') && changed.get('station') && this.station) this.tune(this.station);
  }

  get #offered(): string[] {
    const ids = this.network.store.ids;
    const filter = this.stations?.split(/[\s,]+/).filter(Boolean);
    return filter?.length ? ids.filter((id) => filter.includes(id)) : ids;
  }

  get #states(): StationState[] {
    return this.#offered.map((id) => this.network.state(id)).filter((state) => state !== undefined);
  }

  get #state(): StationState | undefined {
    return this.tuned ? this.network.state(this.tuned) : undefined;
  }

  readonly #online = () => this.#playback?.nudge();

  readonly #pointer = (event: Event) => {
    if (this.open && !event.composedPath().includes(this)) this.open = false;
  };

  #follow(session: string | null): void {
    if (this.#session) this.network.feed.unlisten(this.#session);
    this.#session = session;
    if (session && this.tuned) this.network.feed.listen(session, this.tuned);
  }

  /** Tells the page how much of the window the bar covers, for its own padding. */
  #reserve(): void {
    if (this.layout !== 'bar') return;
    document.documentElement.style.setProperty('--radio-player-height', `${this.offsetHeight}px`);
  }

  #tell(type: string): void {
    const { id, name, timezone } = this.#state?.station ?? {};
    this.dispatchEvent(
      new CustomEvent<TuneDetail>(type, { bubbles: true, composed: true, detail: { station: id, name, timezone } }),
    );
  }

  protected override render(): TemplateResult {
    const state = this.#state;
    const moment_ms = this.tuned ? this.network.moment(this.tuned) : this.network.clock.now();
    const several = this.#offered.length > 1;
    return html`<section
      class="bar"
      aria-label="Radio player"
      data-station=${this.tuned ?? ''}
      ?data-old=${this.network.staleSince_ms !== null}
      @keydown=${this.#keydown}
    >
      ${several ? this.#panel() : nothing} ${this.#notice(state)}
      <div class="row">
        ${this.#playButton(state)} ${this.#nowPlaying(state, moment_ms)} ${this.#times(state, moment_ms)}
        ${this.#next(state, moment_ms)} ${this.#support(state)} ${this.#volumeControl()}
        ${several ? this.#stationsButton() : nothing}
      </div>
      <p class="apart" aria-live="polite">${state?.now ? `Now: ${nowTitle(state)}. ${nowDetail(state)}` : ''}</p>
    </section>`;
  }

  #panel(): TemplateResult {
    return stationsPanel({
      states: this.open ? this.#states : [],
      tuned: this.tuned,
      open: this.open,
      now_ms: this.network.clock.now(),
      server: this.network.server,
      choose: (station) => {
        this.tune(station);
        this.#closePanel();
      },
      close: () => this.#closePanel(),
    });
  }

  #notice(state: StationState | undefined): TemplateResult {
    const words = this.#noticeWords(state);
    return html`<p class="notice" role="status" ?hidden=${!words}>${words}</p>`;
  }

  #noticeWords(state: StationState | undefined): string {
    const { feed, clock, staleSince_ms } = this.network;
    if (this.tuned && !state && this.network.store.ids.length) return 'The server has no such station.';
    if (feed.status === 'stopped') return 'Live updates have ended. Reload the page to have them back.';
    if (staleSince_ms !== null && state) {
      return `Reconnecting. What you see is from ${pastMoment(staleSince_ms, clock.now(), state.station.timezone)}.`;
    }
    const problem = this.#playback?.problem ?? '';
    if (!state || isWell(state.availability)) return problem;
    const words = `${availabilityWords(state, clock.now())}.`;
    return problem ? `${words} The sound begins here as soon as it is back.` : words;
  }

  #playButton(state: StationState | undefined): TemplateResult {
    const status = this.#playback?.status ?? 'stopped';
    const name = state?.station.name ?? '';
    const faces = {
      stopped: { icon: playIcon, words: 'Play Live Radio' },
      playing: { icon: pauseIcon, words: 'Pause' },
      waiting: { icon: waitIcon, words: 'Buffering' },
      connecting: { icon: waitIcon, words: 'Connecting' },
      retrying: { icon: waitIcon, words: 'Reconnecting' },
    };
    const { icon, words } = faces[status];
    const hint = status === 'stopped' || status === 'playing' ? `: ${name}` : ', press to stop';
    return html`<button
      type="button"
      class="play"
      data-testid="play"
      data-status=${status}
      aria-label=${words + hint}
      @click=${this.#toggle}
    >
      ${icon}<span class="words">${words}</span>
    </button>`;
  }

  #nowPlaying(state: StationState | undefined, moment_ms: number): TemplateResult {
    if (!state) return this.#blank();
    const title = nowTitle(state);
    const detail = nowDetail(state);
    const programme = programmeWords(state.programme);
    const said = state.programme?.title === title ? (state.programme?.host ?? '') : programme;
    // What stands second is cut off first where the line is short.
    const lines = [html`<bdi data-testid="now-detail">${detail}</bdi>`, html`<bdi data-testid="programme-title">${said}</bdi>`];
    return html`${picture(nowPicture(state, this.network.server), state.station.name)}
      <div class="now">
        <p class="kicker one-line">
          <bdi class="station">${state.station.name}</bdi>
          ${availability(state, Math.max(moment_ms, this.network.clock.now()), 'availability')}
        </p>
        ${keyed(
          state.now?.id ?? title,
          html`<div class="fresh">
            <p class="title serif two-lines" data-testid="now-title" dir="auto" title=${title}>${title}</p>
            <p class="detail one-line">${isMusic(state) ? lines : lines.reverse()}</p>
          </div>`,
        )}
      </div>`;
  }

  #blank(): TemplateResult {
    return html`${picture(null, '')}
      <div class="now">
        <p class="kicker one-line"><span data-testid="availability">Connecting</span></p>
        <p class="title serif one-line" data-testid="now-title">Live radio</p>
        <p class="detail one-line">
          <bdi data-testid="now-detail"></bdi><bdi data-testid="programme-title"></bdi>
        </p>
      </div>`;
  }

  #times(state: StationState | undefined, moment_ms: number): TemplateResult {
    const { elapsed_ms, length_ms } = progress(state?.now, moment_ms);
    const share = length_ms ? elapsed_ms / length_ms : 0;
    return html`<progress class="progress" aria-label="Progress of the item" max="1" .value=${share}></progress>
      <p class="times time">
        <span class="apart">Elapsed</span><span data-testid="elapsed">${length(elapsed_ms)}</span>
        <span class="apart">of</span
        ><span class="length" data-testid="length">${length_ms === null ? 'Live' : length(length_ms)}</span>
      </p>`;
  }

  #next(state: StationState | undefined, moment_ms: number): TemplateResult {
    const next = state && nextUp(state, moment_ms);
    return html`<div class="next" data-testid="next-up">
      <p class="label">Next Up${next ? html` ${time(next.starts_at_ms, state.station.timezone, next.predicted)}` : ''}</p>
      <p class="side two-lines" title=${next?.title ?? nothing}>
        ${next ? html`<bdi class="strong">${next.title}</bdi>` : 'To be announced'}
        ${next?.detail ? html`<bdi class="soft">${next.detail}</bdi>` : nothing}
      </p>
    </div>`;
  }

  #support(state: StationState | undefined): TemplateResult {
    const support = state?.supported_by;
    const link = webAddress(support?.link, this.network.server);
    const sponsor = html`<bdi class="strong">${support?.sponsor}</bdi>`;
    const message = support && messageAfterName(support);
    return html`<div class="support" data-testid="supported-by">
      <p class="label">Supported by</p>
      <p class="side two-lines" title=${support?.message ?? nothing}>
        ${!support
          ? 'Its listeners'
          : link
            ? html`<a href=${link} target="_blank" rel="noopener sponsored nofollow">${sponsor}</a>`
            : sponsor}
        ${message ? html`<bdi class="soft">${message}</bdi>` : nothing}
      </p>
    </div>`;
  }

  #volumeControl(): TemplateResult {
    const { level, muted } = this.#volume;
    return html`<div class="volume">
      <button type="button" class="square" aria-label="Mute" aria-pressed=${muted ? 'true' : 'false'} @click=${this.#mute}>
        ${muted ? mutedIcon : soundIcon}
      </button>
      <input
        type="range"
        min="0"
        max="100"
        aria-label="Volume"
        .value=${live(String(Math.round(level * 100)))}
        @input=${this.#setVolume}
      />
    </div>`;
  }

  #stationsButton(): TemplateResult {
    return html`<button
      type="button"
      class="stations"
      data-testid="stations-button"
      aria-expanded=${this.open ? 'true' : 'false'}
      aria-controls="stations"
      @click=${this.#togglePanel}
    >
      ${stationsIcon}<span class="words">Available On Air Stations</span>
    </button>`;
  }

  readonly #toggle = () => (this.#playback?.isOn ? this.stop() : this.play());

  readonly #mute = () => {
    this.#volume.muted = !this.#volume.muted;
    this.requestUpdate();
  };

  readonly #setVolume = (event: Event) => {
    this.#volume.level = Number((event.target as HTMLInputElement).value) / 100;
    this.requestUpdate();
  };

  readonly #togglePanel = async () => {
    this.open = !this.open;
    if (!this.open) return;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('.choice[aria-current="true"], .choice')?.focus();
  };

  readonly #keydown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && this.open) this.#closePanel();
  };

  #closePanel(): void {
    this.open = false;
    this.renderRoot.querySelector<HTMLElement>('.stations')?.focus();
  }
}
