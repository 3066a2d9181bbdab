import { expect, test } from 'vitest';
import { progressOn } from '../../../runtime/cli/progress.ts';

function watched(isTerminal: boolean): {
  clock: { ms: number };
  written: string[];
  io: Parameters<typeof progressOn>[0];
} {
  const clock = { ms: 0 };
  const written: string[] = [];
  const io = { now: () => clock.ms, stderr: { isTerminal, write: (text: string) => written.push(text) } };
  return { clock, written, io };
}

test('says nothing of what takes less than a second', () => {
  const { clock, written, io } = watched(true);
  const progress = progressOn(io);
  clock.ms = 999;
  progress.now('step 1');
  progress.end();
  expect(written).toEqual([]);
});

test('shows the newest on one line, and takes it away', () => {
  const { clock, written, io } = watched(true);
  const progress = progressOn(io);
  clock.ms = 1500;
  progress.now('step \u001b[2J 1');
  progress.now('step 2');
  progress.end();
  expect(written).toEqual(['\r\u001b[Kstep \\u001b[2J 1', '\r\u001b[K']);
});

test('writes nothing where no terminal is', () => {
  const { clock, written, io } = watched(false);
  const progress = progressOn(io);
  clock.ms = 60_000;
  progress.now('step 1');
  progress.end();
  expect(written).toEqual([]);
});
