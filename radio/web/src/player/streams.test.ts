import { afterEach, describe, expect, it, vi } from 'vitest';
import { newSession, playable, sessionAddress } from './streams';

function stream(format: string, url = `/listen/harbor/live.${format}`) {
  return { mount: `live.${format}`, url, format, bitrate_kbps: 128 };
}

describe('playable', () => {
  const answers: Record<string, string> = { 'audio/mpeg': 'maybe', 'audio/ogg; codecs=opus': 'maybe' };
  const canPlayType = (type: string) => answers[type] ?? '';

  it('keeps the station’s order and leaves out what the browser cannot play', () => {
    const streams = [stream('aac'), stream('mp3'), stream('MP3')];
    expect(playable(streams, canPlayType).map(({ format }) => format)).toEqual(['mp3', 'MP3']);
  });

  it('puts MP3 first', () => {
    const streams = [stream('opus'), stream('aac'), stream('mp3')];
    expect(playable(streams, () => 'probably').map(({ format }) => format)).toEqual(['mp3', 'opus', 'aac']);
  });

  it('takes Opus only where the browser is sure', () => {
    expect(playable([stream('opus')], canPlayType)).toEqual([]);
    expect(playable([stream('opus')], () => 'probably')).toHaveLength(1);
  });
});

describe('sessionAddress', () => {
  it('is absolute and keeps what the address already asks for', () => {
    const server = new URL('https://radio.example/');
    expect(sessionAddress(stream('mp3'), server, 'abc')).toBe('https://radio.example/listen/harbor/live.mp3?session=abc');
    const elsewhere = stream('mp3', 'https://cdn.example/live?key=1');
    expect(sessionAddress(elsewhere, server, 'abc')).toBe('https://cdn.example/live?key=1&session=abc');
  });
});

describe('newSession', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is a version 4 UUID, also on pages without TLS', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(newSession()).toMatch(uuid);
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    expect(newSession()).toMatch(uuid);
    expect(newSession()).not.toBe(newSession());
  });
});
