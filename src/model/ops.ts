import { type Asked, askedIn, type Rule } from './guard.ts';
import type { Op, OpKind } from './op.ts';
import { busAutoprobe } from './ops/bus-autoprobe.ts';
import { busRescan } from './ops/bus-rescan.ts';
import { close } from './ops/close.ts';
import { configMakeDirectory } from './ops/config-make-directory.ts';
import { configRemove } from './ops/config-remove.ts';
import { configRemoveDirectory } from './ops/config-remove-directory.ts';
import { configWrite } from './ops/config-write.ts';
import { containerApiVersion } from './ops/container-api-version.ts';
import { containerCheckExtension } from './ops/container-check-extension.ts';
import { containerDirtyPages } from './ops/container-dirty-pages.ts';
import { containerGetInfo } from './ops/container-get-info.ts';
import { containerMapDma } from './ops/container-map-dma.ts';
import { containerSetIommu } from './ops/container-set-iommu.ts';
import { containerUnmapDma } from './ops/container-unmap-dma.ts';
import { descriptorPass } from './ops/descriptor-pass.ts';
import { deviceAttachIoas } from './ops/device-attach-ioas.ts';
import { deviceBindIommufd } from './ops/device-bind-iommufd.ts';
import { deviceDetachIoas } from './ops/device-detach-ioas.ts';
import { deviceEnable } from './ops/device-enable.ts';
import { deviceFeature } from './ops/device-feature.ts';
import { deviceGetInfo } from './ops/device-get-info.ts';
import { deviceHotReset } from './ops/device-hot-reset.ts';
import { deviceHotResetInfo } from './ops/device-hot-reset-info.ts';
import { deviceIoeventfd } from './ops/device-ioeventfd.ts';
import { deviceIrqInfo } from './ops/device-irq-info.ts';
import { deviceMmap } from './ops/device-mmap.ts';
import { deviceRead } from './ops/device-read.ts';
import { deviceRegionInfo } from './ops/device-region-info.ts';
import { deviceRemove } from './ops/device-remove.ts';
import { deviceReset } from './ops/device-reset.ts';
import { deviceResetMethod } from './ops/device-reset-method.ts';
import { deviceSetIrqs } from './ops/device-set-irqs.ts';
import { deviceSriovAutoprobe } from './ops/device-sriov-autoprobe.ts';
import { deviceSriovNumvfs } from './ops/device-sriov-numvfs.ts';
import { deviceSysfsReset } from './ops/device-sysfs-reset.ts';
import { deviceWrite } from './ops/device-write.ts';
import { driverBind } from './ops/driver-bind.ts';
import { driverNewId } from './ops/driver-new-id.ts';
import { driverRemoveId } from './ops/driver-remove-id.ts';
import { driverUnbind } from './ops/driver-unbind.ts';
import { driversProbe } from './ops/drivers-probe.ts';
import { eventfd } from './ops/eventfd.ts';
import { fileCall } from './ops/file-call.ts';
import { groupGetDeviceFd } from './ops/group-get-device-fd.ts';
import { groupGetStatus } from './ops/group-get-status.ts';
import { groupSetContainer } from './ops/group-set-container.ts';
import { groupUnsetContainer } from './ops/group-unset-container.ts';
import { ioctl } from './ops/ioctl.ts';
import { iommuGroupType } from './ops/iommu-group-type.ts';
import {
  iommufdApiVersion,
  iommufdCheckExtension,
  iommufdGetInfo,
  iommufdSetIommu,
} from './ops/iommufd-compat.ts';
import { iommufdFaultQueueAlloc } from './ops/iommufd-fault-queue.ts';
import { iommufdGetHwInfo } from './ops/iommufd-hw-info.ts';
import { iommufdHwptAlloc } from './ops/iommufd-hwpt-alloc.ts';
import { iommufdHwptGetDirtyBitmap, iommufdHwptSetDirtyTracking } from './ops/iommufd-hwpt-dirty.ts';
import { iommufdHwptInvalidate } from './ops/iommufd-hwpt-invalidate.ts';
import { iommufdIoasCopy } from './ops/iommufd-ioas-copy.ts';
import { iommufdIoasMap } from './ops/iommufd-ioas-map.ts';
import { iommufdIoasUnmap } from './ops/iommufd-ioas-unmap.ts';
import { iommufdIoasAllowIovas, iommufdIoasIovaRanges } from './ops/iommufd-iovas.ts';
import { iommufdMapDma } from './ops/iommufd-map-dma.ts';
import { iommufdNoiommuGetPa } from './ops/iommufd-noiommu-get-pa.ts';
import { iommufdDestroy, iommufdIoasAlloc } from './ops/iommufd-objects.ts';
import { iommufdOption } from './ops/iommufd-option.ts';
import { iommufdUnmapDma } from './ops/iommufd-unmap-dma.ts';
import { iommufdVfioIoas } from './ops/iommufd-vfio-ioas.ts';
import { kvmAddGroup, kvmDelGroup } from './ops/kvm-files.ts';
import { kvmCreateDevice, kvmCreateVm } from './ops/kvm-machine.ts';
import { moduleLoad } from './ops/module-load.ts';
import { moduleUnload } from './ops/module-unload.ts';
import { nodeOwn } from './ops/node-own.ts';
import { open } from './ops/open.ts';
import { overrideWrite } from './ops/override-write.ts';
import { parameterWrite } from './ops/parameter-write.ts';
import { type ProfileId, profileIds } from './profiles.ts';

/** Every operation's rule: its guards in the kernel's order, its effect, its undo. */
export const rules: { readonly [Kind in OpKind]: Rule<Extract<Op, { op: Kind }>> } = Object.assign(
  Object.create(null),
  {
    'module.load': moduleLoad,
    'module.unload': moduleUnload,
    'parameter.write': parameterWrite,
    'override.write': overrideWrite,
    'driver.bind': driverBind,
    'driver.unbind': driverUnbind,
    'drivers.probe': driversProbe,
    'driver.new_id': driverNewId,
    'driver.remove_id': driverRemoveId,
    'bus.autoprobe': busAutoprobe,
    'bus.rescan': busRescan,
    'device.remove': deviceRemove,
    'device.enable': deviceEnable,
    'device.sysfs_reset': deviceSysfsReset,
    'device.reset_method': deviceResetMethod,
    'device.sriov_numvfs': deviceSriovNumvfs,
    'device.sriov_autoprobe': deviceSriovAutoprobe,
    'iommu_group.type': iommuGroupType,
    'node.own': nodeOwn,
    'config.write': configWrite,
    'config.remove': configRemove,
    'config.make_directory': configMakeDirectory,
    'config.remove_directory': configRemoveDirectory,
    open,
    close,
    'descriptor.pass': descriptorPass,
    'file.call': fileCall,
    eventfd,
    'container.api_version': containerApiVersion,
    'container.check_extension': containerCheckExtension,
    'container.set_iommu': containerSetIommu,
    'container.get_info': containerGetInfo,
    'container.map_dma': containerMapDma,
    'container.unmap_dma': containerUnmapDma,
    'container.dirty_pages': containerDirtyPages,
    'group.get_status': groupGetStatus,
    'group.set_container': groupSetContainer,
    'group.unset_container': groupUnsetContainer,
    'group.get_device_fd': groupGetDeviceFd,
    'device.bind_iommufd': deviceBindIommufd,
    'device.attach_ioas': deviceAttachIoas,
    'device.detach_ioas': deviceDetachIoas,
    'iommufd.destroy': iommufdDestroy,
    'iommufd.ioas_alloc': iommufdIoasAlloc,
    'iommufd.ioas_iova_ranges': iommufdIoasIovaRanges,
    'iommufd.ioas_allow_iovas': iommufdIoasAllowIovas,
    'iommufd.ioas_map': iommufdIoasMap,
    'iommufd.ioas_copy': iommufdIoasCopy,
    'iommufd.ioas_unmap': iommufdIoasUnmap,
    'iommufd.option': iommufdOption,
    'iommufd.vfio_ioas': iommufdVfioIoas,
    'iommufd.hwpt_alloc': iommufdHwptAlloc,
    'iommufd.get_hw_info': iommufdGetHwInfo,
    'iommufd.hwpt_set_dirty_tracking': iommufdHwptSetDirtyTracking,
    'iommufd.hwpt_get_dirty_bitmap': iommufdHwptGetDirtyBitmap,
    'iommufd.hwpt_invalidate': iommufdHwptInvalidate,
    'iommufd.fault_queue_alloc': iommufdFaultQueueAlloc,
    'iommufd.noiommu_get_pa': iommufdNoiommuGetPa,
    'iommufd.api_version': iommufdApiVersion,
    'iommufd.check_extension': iommufdCheckExtension,
    'iommufd.set_iommu': iommufdSetIommu,
    'iommufd.get_info': iommufdGetInfo,
    'iommufd.map_dma': iommufdMapDma,
    'iommufd.unmap_dma': iommufdUnmapDma,
    'device.get_info': deviceGetInfo,
    'device.region_info': deviceRegionInfo,
    'device.irq_info': deviceIrqInfo,
    'device.reset': deviceReset,
    'kvm.create_vm': kvmCreateVm,
    'kvm.create_device': kvmCreateDevice,
    'kvm.add_group': kvmAddGroup,
    'kvm.del_group': kvmDelGroup,
    'device.set_irqs': deviceSetIrqs,
    'device.read': deviceRead,
    'device.write': deviceWrite,
    'device.mmap': deviceMmap,
    'device.hot_reset_info': deviceHotResetInfo,
    'device.hot_reset': deviceHotReset,
    'device.ioeventfd': deviceIoeventfd,
    'device.feature': deviceFeature,
    ioctl,
  },
);

/** An operation as one kernel carries it out. All look alike, for every step goes through one. */
interface Call {
  /** Whether what it means is for the file to say that its descriptor names. */
  readonly asksFile: boolean;
  /** The kind of file whose request it is; null: no request of one kind alone. */
  readonly on: NonNullable<Rule['ioctl']>['on'] | null;
  readonly guards: readonly Asked[];
  readonly effect: Rule['effect'];
}

/** Every operation as one kernel carries it out. */
export type Asking = Readonly<Record<OpKind, Call>>;

/** What each kernel asks, worked out once: steps only look it up. */
export const asking: Readonly<Record<ProfileId, Asking>> = eachOf(profileIds, (id) =>
  eachOf(Object.keys(rules) as OpKind[], (kind): Call => {
    const rule = rules[kind] as Rule;
    const { ioctl: request, effect } = rule;
    const asksFile = request !== undefined || kind === 'ioctl';
    return { asksFile, on: request?.on ?? null, guards: askedIn(rule, id), effect };
  }),
);

/** The same with other guards of some operations: a kernel with planted defects. */
export function asksInstead(asked: Asking, guards: Partial<Record<OpKind, readonly Asked[]>>): Asking {
  const others: Record<OpKind, Call> = Object.assign(Object.create(null), asked);
  for (const kind of Object.keys(guards) as OpKind[])
    others[kind] = { ...asked[kind], guards: guards[kind] ?? asked[kind].guards };
  return others;
}

/** Without a prototype: V8 looks a name that varies up several times as fast in such a table. */
function eachOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Readonly<Record<K, V>> {
  const table = Object.create(null) as Record<K, V>;
  for (const key of keys) table[key] = value(key);
  return table;
}

/** The rule of an operation; its members take just that kind of operation. */
export function ruleOf(op: Op): Rule {
  return rules[op.op];
}
