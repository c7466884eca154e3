import type { StreamInfo } from '../protocol';

const MEDIA_TYPES: Record<string, string> = {
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  opus: 'audio/ogg; codecs=opus',
  ogg: 'audio/ogg; codecs=vorbis',
  vorbis: 'audio/ogg; codecs=vorbis',
  flac: 'audio/flac',
  hls: 'application/vnd.apple.mpegurl',
};

/** The streams this browser says it can play: MP3 first, which all play best, then in the station's order. */
export function playable(streams: readonly StreamInfo[], canPlayType: (type: string) => string): StreamInfo[] {
  const known = streams.filter(({ format }) => {
    const type = MEDIA_TYPES[format.toLowerCase()] ?? (format.includes('/') ? format : `audio/${format}`);
    const answer = canPlayType(type);
    // A "maybe" for Opus in Ogg has been seen to mean silence at the first change of track.
    return type.includes('opus') ? answer === 'probably' : answer !== '';
  });
  return known.sort((a, b) => Number(!isMp3(a)) - Number(!isMp3(b)));
}

function isMp3({ format }: StreamInfo): boolean {
  return format.toLowerCase() === 'mp3';
}

/** The address to open for one session: each opening has a session of its own. */
export function sessionAddress(stream: StreamInfo, server: URL, session: string): string {
  const url = new URL(stream.url, server);
  url.searchParams.set('session', session);
  return url.href;
}

/** A random UUID (RFC 9562, version 4), made by hand as `crypto.randomUUID` is missing on pages without TLS. */
export function newSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
