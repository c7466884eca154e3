import { expect, it } from 'vitest';
import { type Page, renew } from './renewal';

const GONE = 'https://radio.example/assets/player-event-link-Ab12.js';

class Tab implements Page {
  reloads = 0;
  playing = false;
  readonly #kept = new Map<string, string>();
  readonly memory = {
    getItem: (key: string) => this.#kept.get(key) ?? null,
    setItem: (key: string, value: string) => void this.#kept.set(key, value),
  };
  readonly isPlaying = () => this.playing;
  readonly reload = () => void (this.reloads += 1);
}

it('loads the page anew once where a script of an older build is gone', () => {
  const tab = new Tab();
  for (let turn = 0; turn < 5; turn += 1) renew(GONE, 404, tab);
  expect(tab.reloads).toBe(1);
  renew(GONE.replace('Ab12', 'Cd34'), 404, tab);
  expect(tab.reloads).toBe(2);
});

it('goes on without it while something plays', () => {
  const tab = new Tab();
  tab.playing = true;
  renew(GONE, 404, tab);
  expect(tab.reloads).toBe(0);
});

it.each([
  [GONE, 200],
  [GONE, 503],
  [GONE, undefined],
  ['https://radio.example/api/stations/none', 404],
  ['https://radio.example/assets/lead.webp', 404],
])('lets %s with %s be', (name, status) => {
  const tab = new Tab();
  renew(name, status, tab);
  expect(tab.reloads).toBe(0);
});

it('stays as it is where it may remember nothing', () => {
  const tab = new Tab();
  const forbidden = () => {
    throw new Error('SecurityError');
  };
  renew(GONE, 404, { memory: { getItem: forbidden, setItem: forbidden }, isPlaying: tab.isPlaying, reload: tab.reload });
  expect(tab.reloads).toBe(0);
});
