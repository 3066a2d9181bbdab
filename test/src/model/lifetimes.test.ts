import { describe, expect, test } from 'vitest';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { iommufdRequests, noiommuGetPa } from '../../../runtime/abi/iommufd.ts';
import { kvmRequests } from '../../../runtime/abi/kvm.ts';
import { rules } from '../../../src/model/ops.ts';
import { profilesSince } from '../../../src/model/profiles.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { functionAt, pair, sibling, single, snapshotOf, user } from './machine.ts';
import { Session } from './session.ts';
import { realInContainer } from './vector.ts';

describe.each(profilesSince('6.1'))('lifetimes on Linux %s', (profile) => {
  test('a closed container lives on in its groups, and dies with the last', () => {
    const s = new Session(profile);
    const { c, g } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    s.close(c);
    expect(s.state.containers[0]).toMatchObject({ file: null, iommu: { mappings: [{ size: 4096n }] } });
    s.close(g);
    expect(s.state.containers).toEqual([]);
    expect(s.state.locked).toEqual([]);
  });

  test('the last group takes mappings and driver along; then SET_IOMMU works anew', () => {
    const s = new Session(profile);
    const { c, g } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    expect(s.unsetContainer(g)).toBe(0);
    expect(s.state.iommuGroups.find(({ id }) => id === 8)).toMatchObject({ ownerCount: 0, owner: null });
    expect([s.setContainer(g, c), s.setIommu(c, 1), s.map(c, 0n, 4096n)]).toEqual([0, 0, 0]);
  });

  test('a second group joins the same container, and leaves its mappings when it goes', () => {
    const s = new Session(profile);
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    s.take(pair);
    s.take(sibling);
    const g = s.open('7');
    expect([s.setContainer(g, c), s.close(g)]).toEqual([0, 0]);
    expect(s.state.containers[0]).toMatchObject({ groups: [0], iommu: { mappings: [{ size: 4096n }] } });
  });

  test('two processes that share a group keep it open until both have closed it', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const theirs = s.pass(g);
    s.close(g);
    expect(s.tryOpen('8')).toBe('EBUSY');
    s.close(theirs, user.pid);
    expect(typeof s.tryOpen('8')).toBe('number');
  });

  test('several descriptors of a device hold the group until the last is closed', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const first = Number(s.device(g, single));
    const second = Number(s.device(g, single));
    s.close(g);
    s.close(first);
    expect(s.tryOpen('8')).toBe('EBUSY');
    s.close(second);
    expect(typeof s.tryOpen('8')).toBe('number');
  });

  test('modules: vfio_pci stays while a device is open, type1 while a container has it', () => {
    const s = new Session(profile);
    const unload = (module: string) => s.call({ op: 'module.unload', pid: ROOT, module });
    const { c, g } = realInContainer(s, 3);
    const d = Number(s.device(g, single));
    expect([unload('vfio_pci'), unload('vfio_iommu_type1')]).toEqual(['EAGAIN', 'EAGAIN']);
    s.close(d);
    expect([unload('vfio_pci'), s.status(g), s.unsetContainer(g)]).toEqual([0, 'ENODEV', 'EINVAL']);
    expect(unload('vfio_iommu_type1')).toBe(0);
    expect([1, 3, 6, 9].map((extension) => s.extension(c, extension))).toEqual([0, 0, 0, 0]);
  });

  test('opening the static node loads the module', () => {
    const bare = snapshotOf([functionAt(single, { iommuGroup: 8 })], { modules: {}, drivers: ['e1000e'] });
    const s = new Session(profile, worldFrom(bare, { profile }));
    const c = s.open('vfio');
    expect(s.extension(c, 1)).toBe(1);
  });
});

test("the operations' request numbers are those of the kernel's header", () => {
  const numbers = {
    'container.api_version': requests.VFIO_GET_API_VERSION,
    'container.check_extension': requests.VFIO_CHECK_EXTENSION,
    'container.set_iommu': requests.VFIO_SET_IOMMU,
    'container.get_info': requests.VFIO_IOMMU_GET_INFO,
    'container.dirty_pages': requests.VFIO_IOMMU_DIRTY_PAGES,
    'container.map_dma': requests.VFIO_IOMMU_MAP_DMA,
    'container.unmap_dma': requests.VFIO_IOMMU_UNMAP_DMA,
    'group.get_status': requests.VFIO_GROUP_GET_STATUS,
    'group.set_container': requests.VFIO_GROUP_SET_CONTAINER,
    'group.unset_container': requests.VFIO_GROUP_UNSET_CONTAINER,
    'group.get_device_fd': requests.VFIO_GROUP_GET_DEVICE_FD,
    'device.bind_iommufd': requests.VFIO_DEVICE_BIND_IOMMUFD,
    'device.attach_ioas': requests.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    'device.detach_ioas': requests.VFIO_DEVICE_DETACH_IOMMUFD_PT,
    'iommufd.destroy': iommufdRequests.IOMMU_DESTROY,
    'iommufd.ioas_alloc': iommufdRequests.IOMMU_IOAS_ALLOC,
    'iommufd.ioas_allow_iovas': iommufdRequests.IOMMU_IOAS_ALLOW_IOVAS,
    'iommufd.ioas_copy': iommufdRequests.IOMMU_IOAS_COPY,
    'iommufd.ioas_iova_ranges': iommufdRequests.IOMMU_IOAS_IOVA_RANGES,
    'iommufd.ioas_map': iommufdRequests.IOMMU_IOAS_MAP,
    'iommufd.ioas_unmap': iommufdRequests.IOMMU_IOAS_UNMAP,
    'iommufd.option': iommufdRequests.IOMMU_OPTION,
    'iommufd.vfio_ioas': iommufdRequests.IOMMU_VFIO_IOAS,
    'iommufd.hwpt_alloc': iommufdRequests.IOMMU_HWPT_ALLOC,
    'iommufd.get_hw_info': iommufdRequests.IOMMU_GET_HW_INFO,
    'iommufd.hwpt_set_dirty_tracking': iommufdRequests.IOMMU_HWPT_SET_DIRTY_TRACKING,
    'iommufd.hwpt_get_dirty_bitmap': iommufdRequests.IOMMU_HWPT_GET_DIRTY_BITMAP,
    'iommufd.hwpt_invalidate': iommufdRequests.IOMMU_HWPT_INVALIDATE,
    'iommufd.fault_queue_alloc': iommufdRequests.IOMMU_FAULT_QUEUE_ALLOC,
    'iommufd.noiommu_get_pa': noiommuGetPa.request,
    'iommufd.api_version': requests.VFIO_GET_API_VERSION,
    'iommufd.check_extension': requests.VFIO_CHECK_EXTENSION,
    'iommufd.set_iommu': requests.VFIO_SET_IOMMU,
    'iommufd.get_info': requests.VFIO_IOMMU_GET_INFO,
    'iommufd.map_dma': requests.VFIO_IOMMU_MAP_DMA,
    'iommufd.unmap_dma': requests.VFIO_IOMMU_UNMAP_DMA,
    'device.get_info': requests.VFIO_DEVICE_GET_INFO,
    'device.region_info': requests.VFIO_DEVICE_GET_REGION_INFO,
    'device.irq_info': requests.VFIO_DEVICE_GET_IRQ_INFO,
    'device.reset': requests.VFIO_DEVICE_RESET,
    'kvm.create_vm': kvmRequests.KVM_CREATE_VM,
    'kvm.create_device': kvmRequests.KVM_CREATE_DEVICE,
    'kvm.add_group': kvmRequests.KVM_SET_DEVICE_ATTR,
    'kvm.del_group': kvmRequests.KVM_SET_DEVICE_ATTR,
    'device.set_irqs': requests.VFIO_DEVICE_SET_IRQS,
    'device.hot_reset_info': requests.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
    'device.hot_reset': requests.VFIO_DEVICE_PCI_HOT_RESET,
    'device.ioeventfd': requests.VFIO_DEVICE_IOEVENTFD,
    'device.feature': requests.VFIO_DEVICE_FEATURE,
  };
  const declared = Object.entries(rules).flatMap(([name, { ioctl }]) =>
    ioctl ? [[name, ioctl.request]] : [],
  );
  expect(Object.fromEntries(declared)).toEqual(numbers);
});
