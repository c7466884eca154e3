import { describe, expect, it } from 'vitest';
import { EventParser } from './event-parser';

const STREAM = [
  'retry: 3000\ndata: {"type":"welcome"}\n\n',
  ':\n\n',
  'id: e:1,e:2\ndata: {"title":"Søndag ✓"}\n\n',
  'event: other\r\ndata:two\r\ndata: lines\r\n\r\n',
  'data\n\n',
  'id: without data\n\n',
  'data: old line ends\r\r',
  'data: cut off\n',
].join('');
const EVENTS = ['{"type":"welcome"}', '{"title":"Søndag ✓"}', 'two\nlines', '', 'old line ends'];

describe('EventParser', () => {
  it.each([1, 2, 3, 7, 10_000])('takes a stream in pieces of %i bytes', (size) => {
    const bytes = new TextEncoder().encode(STREAM);
    const parser = new EventParser();
    const events: string[] = [];
    for (let at = 0; at < bytes.length; at += size) events.push(...parser.take(bytes.subarray(at, at + size)));
    expect(events).toEqual(EVENTS);
  });

  it.each(['data: ' + 'x'.repeat(60_000), 'data: x\n'.repeat(60_000)])('gives up on an event without an end', (part) => {
    const parser = new EventParser();
    const piece = new TextEncoder().encode(part);
    expect(() => {
      for (let n = 0; n < 100; n += 1) parser.take(piece);
    }).toThrow(RangeError);
  });
});
