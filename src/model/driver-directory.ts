import type { Guard } from './guard.ts';
import { isBindable, registered } from './matching.ts';
import type { Op } from './op.ts';
import { rootOnly } from './permission.ts';

/** What every file in a driver's directory asks first: that the driver is there, and that root writes. */
export function driverFile<O extends Extract<Op, { readonly driver: string }>>(
  op: O['op'],
  file: string,
): readonly Guard<O>[] {
  const there = file === 'bind' || file === 'unbind' ? isBindable : registered;
  return [
    {
      id: `${op}.driver`,
      words: 'the driver is not there: its module is not loaded or about to go, or the kernel has none',
      errno: 'ENOENT',
      citation: 'drivers/base/bus.c:add_bind_files (the file is in the driver directory)',
      applies: (world, state, asked) => {
        const driver = world.drivers.get(asked.driver);
        return driver === undefined || !there(world, state, driver);
      },
    },
    rootOnly(op, file),
  ];
}
