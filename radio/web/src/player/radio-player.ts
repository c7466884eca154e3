import { type PropertyDeclarations, type PropertyValues, type TemplateResult, html, nothing, unsafeCSS } from 'lit';
import type { StationState } from '../protocol';
import { nowDetail, nowTitle } from '../words';
import { comingUp, nowPlaying, playButton, stationsButton, support, times, volumeControl } from './bar';
import { MediaControls } from './media-session';
import type { Receiver } from './network';
import { noticeWords } from './notice';
import { OneAtATime } from './one-at-a-time';
import { nowPicture } from './parts';
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
    const { server } = this.network;
    const now_ms = this.network.clock.now();
    const moment_ms = this.tuned ? this.network.moment(this.tuned) : now_ms;
    const several = this.#offered.length > 1;
    return html`<section
      class="bar"
      aria-label="Radio player"
      data-station=${this.tuned ?? ''}
      data-push=${this.network.feed.transport ?? this.network.feed.status}
      ?data-old=${this.network.staleSince_ms !== null}
      @keydown=${this.#keydown}
    >
      ${several ? this.#panel() : nothing} ${this.#notice(state)}
      <div class="row">
        ${playButton(this.#playback?.status ?? 'stopped', state, this.#toggle)}
        ${nowPlaying(state, Math.max(moment_ms, now_ms), server)} ${times(state, moment_ms)}
        ${comingUp(state, moment_ms)} ${support(state, server)}
        ${volumeControl({ level: this.#volume.level, muted: this.#volume.muted, mute: this.#mute, set: this.#setVolume })}
        ${several ? stationsButton(this.open, this.#togglePanel) : nothing}
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
    const { feed, clock, staleSince_ms, store } = this.network;
    const words = noticeWords({
      status: feed.status,
      isUnknown: Boolean(this.tuned && !state && store.ids.length),
      staleSince_ms,
      now_ms: clock.now(),
      state,
      problem: this.#playback?.problem ?? null,
    });
    return html`<p class="notice" role="status" ?hidden=${!words}>${words}</p>`;
  }

  readonly #toggle = () => (this.#playback?.isOn ? this.stop() : this.play());

  readonly #mute = () => {
    this.#volume.muted = !this.#volume.muted;
    this.requestUpdate();
  };

  readonly #setVolume = (event: Event) => {
    const slider = event.target as HTMLInputElement;
    this.#volume.level = Number(slider.value) / 100;
    // Some systems keep the volume to themselves; the slider then goes back to what is so.
    slider.value = String(Math.round(this.#volume.level * 100));
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
