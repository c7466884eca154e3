import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LateLink } from './late-link';
import type { Link } from './link';

class Told implements Link {
  said: string[] = [];
  open = () => void this.said.push('open');
  resync = (station: string) => void this.said.push(`resync ${station}`);
  listen = (session: string) => void this.said.push(`listen ${session}`);
  unlisten = (session: string) => void this.said.push(`unlisten ${session}`);
  ping = () => void this.said.push('ping');
  close = () => void this.said.push('close');
}

let lost: number[];
let real: Told;
let come: (link: Link) => void;
let fail: (error: Error) => void;
let late: LateLink;

beforeEach(() => {
  vi.useFakeTimers();
  lost = [];
  real = new Told();
  const code = new Promise<Link>((resolve, reject) => {
    come = resolve;
    fail = reject;
  });
  const owner = { alive: () => undefined, message: () => undefined, sample: () => undefined, lost: (code: number) => lost.push(code) };
  late = new LateLink(owner, () => code);
  late.open();
});

afterEach(() => vi.useRealTimers());

describe('LateLink', () => {
  it('opens the link once its code has come, and hands on what is asked from then on', async () => {
    late.listen('s1');
    come(real);
    await vi.advanceTimersByTimeAsync(60_000);
    late.resync('harbor');
    late.listen('s2');
    late.unlisten('s2');
    late.ping();
    late.close();
    expect(real.said).toEqual(['open', 'resync harbor', 'listen s2', 'unlisten s2', 'ping', 'close']);
    expect(lost).toEqual([]);
  });

  it('is lost, once, when the code does not come', async () => {
    fail(new TypeError('404'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lost).toEqual([1006]);
  });

  it('is lost when the code takes too long, and opens nothing after that', async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    come(real);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([lost, real.said]).toEqual([[1006], []]);
  });

  it('is silent once closed', async () => {
    late.close();
    come(real);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([lost, real.said]).toEqual([[], []]);
  });
});
