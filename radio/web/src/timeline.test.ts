import { describe, expect, it } from 'vitest';
import { TIMELINE_LIMIT, constant, extend, nextChange, stateAt, supersede } from './timeline';

describe('timeline', () => {
  it('shows each moment its own state, also when moments go backwards', () => {
    const timeline = extend(extend(constant('first'), 100, 'second'), 200, 'third');
    expect([50, 99, 100, 199, 200, 1e9].map((at) => stateAt(timeline, at))).toEqual([
      'first',
      'first',
      'second',
      'second',
      'third',
      'third',
    ]);
    expect(stateAt(timeline, 120)).toBe('second');
  });

  it('never lets a later update take effect before an earlier one', () => {
    const timeline = extend(extend(constant('first'), 300, 'second'), 200, 'third');
    expect(stateAt(timeline, 250)).toBe('first');
    expect(stateAt(timeline, 300)).toBe('third');
  });

  it('says when something changes next', () => {
    const timeline = extend(extend(constant('first'), 100, 'second'), 200, 'third');
    expect([0, 100, 200].map((at) => nextChange(timeline, at))).toEqual([100, 200, Infinity]);
  });

  it('forgets what was announced for the time after a snapshot, and keeps what came before', () => {
    const announced = extend(extend(constant('first'), 100, 'second'), 500, 'wrong');
    const timeline = supersede(announced, 300, 'snapshot');
    expect([50, 150, 300, 600].map((at) => stateAt(timeline, at))).toEqual(['first', 'second', 'snapshot', 'snapshot']);
  });

  it('has a bound', () => {
    let timeline = constant(0);
    for (let n = 1; n <= TIMELINE_LIMIT * 3; n += 1) timeline = extend(timeline, n, n);
    expect(timeline).toHaveLength(TIMELINE_LIMIT);
    expect(stateAt(timeline, Infinity)).toBe(TIMELINE_LIMIT * 3);
    expect(stateAt(timeline, 0)).toBe(TIMELINE_LIMIT * 2 + 1);
  });

  it('knows nothing at first', () => {
    expect(stateAt([], 0)).toBeUndefined();
    expect(nextChange([], 0)).toBe(Infinity);
  });
});
