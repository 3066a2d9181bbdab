import type { Errno } from './errno.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';
import { rootOnly } from './permission.ts';
import { deviceAt } from './presence.ts';
import type { Device, Hardware, State, World } from './state.ts';
import { unsigned, wholeNumber } from './text.ts';

/** What writes to files under /sys have in common. */

type Write = Op & { readonly text: string };
type DeviceWrite = Write & { readonly device: string };

/** That the device is there, and that root writes. */
export function deviceFile<O extends DeviceWrite>(
  op: O['op'],
  file: string,
  has?: (hardware: Hardware, device: Device, world: World) => boolean,
): readonly Guard<O>[] {
  return [
    {
      id: `${op}.missing`,
      words: has === undefined ? 'there is no such device' : `there is no such device, or it has no ${file}`,
      errno: 'ENOENT',
      citation: 'drivers/pci/pci-sysfs.c:pci_dev_attr_groups (the file is in the device directory)',
      applies: (world, state, asked) => {
        const hardware = deviceAt(world, state, asked.device);
        const device = hardware && state.devices[hardware.index];
        return hardware === undefined || device === undefined || has?.(hardware, device, world) === false;
      },
    },
    rootOnly<O>(op, file),
  ];
}

/** A test of a file's handler, which an empty write does not reach (fs/sysfs/file.c:sysfs_kf_write). */
export function handler<O extends Write>(guard: Guard<O>): Guard<O> {
  return {
    ...guard,
    applies: (world, state, op, its) => op.text !== '' && guard.applies(world, state, op, its),
  };
}

/** A file that takes a number: what is none, or too large for `bits`, is refused alike. */
export function notNumber<O extends Write>(op: O['op'], citation: string, bits: 16 | 64 = 64): Guard<O> {
  return handler<O>({
    id: `${op}.text`,
    words: `the kernel cannot read the text as a number of ${bits} bits`,
    errno: 'EINVAL',
    citation,
    applies: (_world, _state, asked) => typeof unsigned(asked.text, bits) === 'string',
  });
}

/** A test of a device's own file. */
export function onDevice<O extends DeviceWrite>(
  guard: Omit<Guard<O>, 'applies' | 'errno'> & {
    readonly errno: Errno | null;
    test(world: World, state: State, hardware: Hardware, device: Device, op: O): boolean;
  },
): Guard<O> {
  const { test, ...rest } = guard;
  return handler<O>({
    ...rest,
    applies: (world, state, op) => {
      const hardware = deviceAt(world, state, op.device);
      const device = hardware && state.devices[hardware.index];
      return hardware !== undefined && device !== undefined && test(world, state, hardware, device, op);
    },
  });
}

/** The number that a text says, when it is not zero. */
export function asks(text: string): boolean {
  const value = wholeNumber(text);
  return value !== null && value !== 0n;
}
