import { draftOf, fileIn, groupIn } from './draft.ts';
import { changeVfio, fileAt, fileId, fileOf, hold, install } from './files.ts';
import { bindDevice, contextAt } from './iommufd.ts';
import { lowestFree, put } from './places.ts';
import type { DeviceFile, State } from './state.ts';

/** Device cdevs (drivers/vfio/device_cdev.c): opened by anybody, used by the one descriptor that is bound to an iommufd. */

interface Descriptor {
  readonly pid: number;
  readonly fd: number;
}

export function deviceFileOf(state: State, op: Descriptor): DeviceFile | null {
  const file = fileOf(state, op);
  return file?.kind === 'device' ? file : null;
}

/** Whether a device file has access to its device: a cdev has not before it is bound (df->access_granted). */
export function granted({ cdev, iommufd }: DeviceFile): boolean {
  return !cdev || iommufd !== null;
}

/** Not exclusive, and without a reset: the device is opened when it is bound (vfio_device_fops_cdev_open). */
export function openCdev(state: State, pid: number, device: number): { state: State; value: number } {
  const draft = draftOf(state);
  changeVfio(draft, device, 0, 1);
  const file = { kind: 'device', refs: 1, device, groupFile: null, cdev: true, iommufd: null } as const;
  const value = install(draft, pid, file);
  return { state: draft, value };
}

/** drivers/iommu/iommufd/main.c:iommufd_fops_open. */
export function openIommufd(state: State, pid: number): { state: State; value: number } {
  const draft = draftOf(state);
  const place = lowestFree(state.iommufds);
  const fresh = { index: place, objects: [], noiommu: false, compat: null, perProcess: false };
  draft.iommufds = put(state.iommufds, place, { ...fresh, file: lowestFree(state.files) });
  const value = install(draft, pid, { kind: 'iommufd', refs: 1, iommufd: place });
  return { state: draft, value };
}

/**
 * vfio_df_ioctl_bind_iommufd: the device is open from now on, its group closed to others, and the iommufd stays as long
 * as the descriptor: held by it and by the device's object (iommufd_device_bind).
 */
export function bindCdev(
  state: State,
  op: Descriptor & { readonly iommufd: number },
): { readonly state: State; readonly id: number } {
  const file = deviceFileOf(state, op);
  const other = fileAt(state, op.pid, op.iommufd);
  const context = other?.kind === 'iommufd' ? contextAt(state, other.iommufd) : null;
  if (file === null || context === null || other?.kind !== 'iommufd') return { state, id: 0 };
  const draft = draftOf(state);
  const opened = fileIn(draft, fileId(state, op.pid, op.fd));
  if (opened.kind === 'device') opened.iommufd = other.iommufd;
  changeVfio(draft, file.device, 1, -1);
  const minor = state.devices[file.device]?.vfio?.group ?? -1;
  if (state.groups[minor]) groupIn(draft, minor).cdevOpens += 1;
  hold(draft, context.file);
  hold(draft, context.file);
  const id = bindDevice(draft, file.device, other.iommufd);
  return { state: draft, id };
}
