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

it('a module that is unloaded waits for the device that the model names, and for no further one', () => {
  const [one, two] = ['0000:01:00.0', '0000:02:00.0'].map(waits) as [string, string];
  const lines = [one, 'vfio-pci 0000:41:00.0: Removing from iommu group 8'];
  expect(logsDiffer([{ op: unload, lines }], [...lines].reverse())).toEqual([]);
  expect(logsDiffer([{ op: unload, lines }], [...lines, two])).toHaveLength(1);
  expect(logsDiffer([{ op: unload, lines }], [two, ...lines.slice(1)])).toHaveLength(1);
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

it('what is perhaps waited for at the end may be in the log, and what is waited for first is', () => {
  const close = { op: 'close', pid: 1, fd: 3 } as const;
  const [one, two] = ['0000:01:00.0', '0000:02:00.0'].map(waits) as [string, string];
  const perhaps = [{ op: close, lines: [two] }];
  expect(logsDiffer([{ op: unload, lines: [one] }], [one, two], perhaps)).toEqual([]);
  expect(logsDiffer([{ op: unload, lines: [one] }], [one], perhaps)).toEqual([]);
  expect(logsDiffer([{ op: unload, lines: [one] }], [two], perhaps)).toHaveLength(1);
});
