import { beforeEach, describe, expect, it } from 'vitest';
import type { Update } from './protocol';
import { StationStore } from './store';
import { START_MS, item, state } from './testing/states';

function update(seq: number, patch: unknown, at_ms = START_MS): Update {
  return { type: 'update', station: 'harbor', seq, at_ms, changed: [], patch };
}

describe('StationStore', () => {
  let store: StationStore;

  beforeEach(() => {
    store = new StationStore();
    store.load([state('harbor'), state('meridian')]);
    store.snapshot({ type: 'snapshot', station: 'harbor', epoch: 'e1', seq: 41, state: state('harbor') });
  });

  it('keeps the order of the list and resumes only where a snapshot was seen', () => {
    expect(store.ids).toEqual(['harbor', 'meridian']);
    expect(store.positions()).toEqual({ harbor: { epoch: 'e1', seq: 41 } });
  });

  it('applies the next update at its moment', () => {
    const next = item({ id: 'i2', title: 'Lamplight', starts_at_ms: START_MS + 5000 });
    expect(store.update(update(42, { now: next }, START_MS + 5000))).toBe('applied');
    expect(store.at('harbor', START_MS + 4999)?.now?.title).toBe('Salt on the Window');
    expect(store.at('harbor', START_MS + 5000)?.now?.title).toBe('Lamplight');
    expect(store.nextChange('harbor', START_MS + 4999)).toBe(START_MS + 5000);
  });

  it('reads a removed member as null', () => {
    store.update(update(42, { now: null, next: null, supported_by: null }));
    expect(store.at('harbor', START_MS)).toMatchObject({ now: null, next: [], supported_by: null });
  });

  it('ignores what it has seen', () => {
    expect(store.update(update(41, { now: null }))).toBe('ignored');
    expect(store.at('harbor', START_MS)?.now).not.toBeNull();
  });

  it('reports a gap once, then waits for a snapshot', () => {
    expect(store.update(update(44, { now: null }))).toBe('gap');
    expect(store.update(update(45, { now: null }))).toBe('ignored');
    expect(store.positions()).toEqual({});
    expect(store.at('harbor', START_MS)?.now?.title).toBe('Salt on the Window');
    store.snapshot({ type: 'snapshot', station: 'harbor', epoch: 'e1', seq: 45, state: state('harbor') });
    expect(store.update(update(46, { now: null }))).toBe('applied');
  });

  it('ignores updates of stations that it does not follow', () => {
    expect(store.update({ ...update(1, {}), station: 'elsewhere' })).toBe('ignored');
  });

  it('lets a listener hear out the old item when a snapshot brings the new one', () => {
    const next = item({ id: 'i2', title: 'Lamplight', starts_at_ms: START_MS + 5000 });
    store.snapshot({ type: 'snapshot', station: 'harbor', epoch: 'e2', seq: 7, state: state('harbor', { now: next }) });
    expect(store.at('harbor', START_MS + 4000)?.now?.title).toBe('Salt on the Window');
    expect(store.at('harbor', START_MS + 5000)?.now?.title).toBe('Lamplight');
    expect(store.positions()).toEqual({ harbor: { epoch: 'e2', seq: 7 } });
  });

  it('drops stations that the list no longer has', () => {
    store.load([state('lowtide')]);
    expect(store.ids).toEqual(['lowtide']);
    expect(store.at('harbor', START_MS)).toBeUndefined();
  });
});
