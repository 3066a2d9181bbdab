/** Requests of device cdevs and of iommufd: bytes become operations, and answers bytes, as in vfio-file.ts. */
import { layouts } from '../../abi/vfio.ts';
import type { Machine } from './machine.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, put, s32, u32 } from './structures.ts';

interface Opened {
  readonly machine: Machine;
  readonly fd: number;
}

/** drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd: out_devid alone is written back. */
export function bindIommufd({ machine, fd }: Opened, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_device_bind_iommufd;
  const its = argument.structure(size);
  const flags = u32(its, fields.flags);
  const iommufd = s32(its, fields.iommufd);
  const result = machine.step({ op: 'device.bind_iommufd', pid, fd, argsz: argszOf(its), flags, iommufd });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.out_devid, field(result, 'out_devid'));
  return result.value;
}
