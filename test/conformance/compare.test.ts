import { expect, it } from 'vitest';
import { logsDiffer } from './compare.ts';

const bind = { op: 'driver.bind', pid: 1, driver: 'vfio-pci', device: '0000:01:00.0' } as const;
const unload = { op: 'module.unload', pid: 1, module: 'vfio_pci' } as const;
const joins = (device: string) => `vfio-pci ${device}: Adding to iommu group 0`;
const waits = (device: string) =>
  `vfio-pci ${device}: No device request channel registered, blocked until released by user`;

it('lines of one operation may come in any order, those of two may not', () => {
  const [one, two] = ['0000:01:00.0', '0000:02:00.0'].map(joins) as [string, string];
  expect(logsDiffer([{ op: bind, lines: [one, two] }], [two, 'eth0: up', one])).toEqual([]);
  const apart = [one, two].map((line) => ({ op: bind, lines: [line] }));
  expect(logsDiffer(apart, [one, two])).toEqual([]);
  expect(logsDiffer(apart, [two, one])).toHaveLength(1);
});

it('a line more, a line less and another line differ', () => {
  const line = joins('0000:01:00.0');
  expect(logsDiffer([{ op: bind, lines: [line] }], [line, line])).toHaveLength(1);
  expect(logsDiffer([{ op: bind, lines: [line, line] }], [line])).toHaveLength(1);
  expect(logsDiffer([{ op: bind, lines: [line] }], [joins('0000:03:00.0')])).toHaveLength(1);
});

it('a module that is unloaded may wait for another device first, but not for none', () => {
  const lines = [waits('0000:01:00.0'), 'vfio-pci 0000:41:00.0: Removing from iommu group 8'];
  const seen = ['vfio-pci 0000:41:00.0: Removing from iommu group 8', waits('0000:02:00.0')];
  expect(logsDiffer([{ op: unload, lines }], seen)).toEqual([]);
  expect(logsDiffer([{ op: bind, lines }], seen)).toHaveLength(1);
  expect(logsDiffer([{ op: unload, lines }], seen.slice(0, 1))).toHaveLength(1);
});

it('a module that is unloaded may wait for a further device, and no other call may', () => {
  const lines = [waits('0000:01:00.0'), 'vfio-pci 0000:41:00.0: Removing from iommu group 8'];
  const seen = [...lines, waits('0000:02:00.0')];
  expect(logsDiffer([{ op: unload, lines }], seen)).toEqual([]);
  expect(logsDiffer([{ op: unload, lines }], [waits('0000:02:00.0'), ...lines])).toEqual([]);
  expect(logsDiffer([{ op: bind, lines }], seen)).toHaveLength(1);
  expect(logsDiffer([{ op: unload, lines }], [...lines, joins('0000:02:00.0')])).toHaveLength(1);
});

it('a line that is too long for the log need not be in it, of a module that is loaded', () => {
  const load = { op: 'module.load', pid: 1, module: 'vfio_pci' } as const;
  const line = `vfio_pci: \`${'x'.repeat(1100)}' too large for parameter \`ids'`;
  for (const seen of [[], [line.slice(0, 1023)]]) {
    expect(logsDiffer([{ op: load, lines: [line] }], seen)).toEqual([]);
    expect(logsDiffer([{ op: bind, lines: [line] }], seen)).toHaveLength(1);
  }
  const short = line.replace(/x+/, 'x');
  expect(logsDiffer([{ op: load, lines: [short] }], [])).toHaveLength(1);
});

it('what an unload waits for first is in the log, also where others may have been waited for', () => {
  const close = { op: 'close', pid: 1, fd: 3 } as const;
  const [one, two] = ['0000:01:00.0', '0000:02:00.0'].map(waits) as [string, string];
  const perhaps = [one, two].map((line) => ({ op: close, lines: [line] }));
  expect(logsDiffer([{ op: unload, lines: [one] }], [two], perhaps)).toEqual([]);
  expect(logsDiffer([{ op: unload, lines: [one] }], [two, one], perhaps)).toEqual([]);
  expect(logsDiffer([{ op: unload, lines: [one] }], [], perhaps)).toHaveLength(1);
});
