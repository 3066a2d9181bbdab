/**
 * The test vectors T1 to T42 of the project's account of VFIO, as calls with the answer that each must have on
 * Linux 6.12: a third witness beside the model and the kernel.
 */
import { requests } from '../../runtime/abi/ioctl.ts';
import type { Errno } from '../../src/model/errno.ts';
import type { Call } from './calls.ts';

export interface Line {
  readonly call: Call;
  /** Name for the descriptor that it answers. */
  readonly as?: string;
  /** Made without CAP_SYS_RAWIO. */
  readonly unprivileged?: true;
  /** A value, `fd` for any descriptor, or an errno. Absent: whatever the model says. */
  readonly answers?: number | 'fd' | Errno;
  /** Fields that the kernel writes back. */
  readonly out?: { readonly [field: string]: number | bigint };
}

export interface Vector {
  readonly id: string;
  readonly lines: readonly Line[];
}

/** Which functions play which part, and the group nodes that they have once they are bound to vfio-pci. */
export interface Cast {
  /** Has no IOMMU group. */
  readonly fake: string;
  readonly fakeNode: string;
}

export interface RealCast extends Cast {
  /** Alone in its group. */
  readonly single: string;
  readonly singleNode: string;
  /** Two functions of one group. */
  readonly first: string;
  readonly second: string;
  readonly pairNode: string;
}

const CONTAINER = '/dev/vfio/vfio';
const HOST_DRIVER = 'e1000e';

export const open = (path: string, as: string, answers: 'fd' | Errno = 'fd'): Line => ({
  call: { op: 'open', path },
  as,
  answers,
});
const close = (...names: readonly string[]): Line[] =>
  names.map((fd) => ({ call: { op: 'close', fd }, answers: 0 }));
export const parameter = (text: 'Y' | 'N'): Line => ({
  call: { op: 'parameter.write', module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text },
  answers: 0,
});
export const override = (device: string, text: string): Line => ({
  call: { op: 'override.write', device, text },
  answers: 0,
});
export const bind = (device: string, driver: string, answers: 0 | Errno = 0): Line => ({
  call: { op: 'driver.bind', driver, device },
  answers,
});
export const unbind = (device: string, driver: string): Line => ({
  call: { op: 'driver.unbind', driver, device },
  answers: 0,
});
const extensions = (fd: string, answers: readonly number[]): Line[] =>
  answers.map((answer, extension) => ({
    call: { op: 'container.check_extension', fd, extension },
    answers: answer,
  }));
const setIommu = (fd: string, type: number, answers: 0 | Errno): Line => ({
  call: { op: 'container.set_iommu', fd, type },
  answers,
});
const setContainer = (fd: string, container: string | number, answers: 0 | Errno): Line => ({
  call: { op: 'group.set_container', fd, container },
  answers,
});
const unsetContainer = (fd: string, answers: 0 | Errno): Line => ({
  call: { op: 'group.unset_container', fd },
  answers,
});
const status = (fd: string, flags: number): Line => ({
  call: { op: 'group.get_status', fd },
  answers: 0,
  out: { flags },
});
const deviceFd = (fd: string, name: string, as: string, answers: 'fd' | Errno): Line => ({
  call: { op: 'group.get_device_fd', fd, name },
  as,
  answers,
});
const any = (fd: string, request: number, answers: Errno): Line[] => [
  { call: { op: 'ioctl', fd, request }, answers },
  { call: { op: 'ioctl', fd, request, argsz: null }, answers },
];
const unprivileged = (line: Line): Line => ({ ...line, unprivileged: true });
const mapAnything = { op: 'container.map_dma', flags: 3, vaddr: 0n, iova: 0n, memory: 'writable' } as const;

/** T1 to T8: a container alone. */
export const containerVectors: readonly Vector[] = [
  { id: 'T1', lines: [open(CONTAINER, 'c'), { call: { op: 'container.api_version', fd: 'c' }, answers: 0 }] },
  { id: 'T2', lines: extensions('c', [0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0]) },
  {
    id: 'T3',
    lines: [parameter('Y'), ...extensions('c', [0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0]), parameter('N')],
  },
  { id: 'T4', lines: [setIommu('c', 1, 'EINVAL')] },
  { id: 'T5', lines: [setIommu('c', 8, 'EINVAL')] },
  {
    id: 'T6',
    lines: [
      { call: { ...mapAnything, fd: 'c', size: 4096n }, answers: 'EINVAL' },
      { call: { ...mapAnything, fd: 'c', size: 0n, argsz: null }, answers: 'EINVAL' },
    ],
  },
  {
    id: 'T7',
    lines: [...any('c', requests.VFIO_GROUP_GET_STATUS, 'EINVAL'), ...any('c', 0x1234, 'EINVAL')],
  },
  {
    id: 'T8',
    lines: [
      { call: { op: 'file.call', fd: 'c', call: 'read' }, answers: 'EINVAL' },
      { call: { op: 'file.call', fd: 'c', call: 'write' }, answers: 'EINVAL' },
      { call: { op: 'file.call', fd: 'c', call: 'mmap' }, answers: 'ENODEV' },
      { call: { op: 'file.call', fd: 'c', call: 'lseek' }, answers: 'ESPIPE' },
      ...close('c'),
    ],
  },
];

/** T9 to T31: a function without a group, from its host driver to a device descriptor and half the way back. */
export const fakeGroupVectors = ({ fake, fakeNode }: Cast): readonly Vector[] => [
  {
    id: 'T9',
    lines: [override(fake, 'vfio-pci'), unbind(fake, HOST_DRIVER), bind(fake, 'vfio-pci', 'EINVAL')],
  },
  { id: 'T10', lines: [parameter('Y'), bind(fake, 'vfio-pci')] },
  { id: 'T11', lines: [unprivileged(open(fakeNode, 'g', 'EPERM'))] },
  {
    id: 'T12',
    lines: [open(fakeNode, 'g'), open(fakeNode, 'g2', 'EBUSY'), unprivileged(open(fakeNode, 'g2', 'EPERM'))],
  },
  {
    id: 'T13',
    lines: [
      { call: { op: 'group.get_status', fd: 'g', argsz: 8 }, answers: 0, out: { flags: 1 } },
      { call: { op: 'group.get_status', fd: 'g', argsz: 7 }, answers: 'EINVAL' },
      { call: { op: 'group.get_status', fd: 'g', argsz: null }, answers: 'EFAULT' },
    ],
  },
  { id: 'T14', lines: [deviceFd('g', fake, 'd', 'EINVAL')] },
  { id: 'T15', lines: [deviceFd('g', 'nope', 'd', 'ENODEV')] },
  {
    id: 'T16',
    lines: [
      setContainer('g', -1, 'EBADF'),
      open('/dev/null', 'null'),
      setContainer('g', 'null', 'EBADFD'),
      { call: { op: 'group.set_container', fd: 'g', container: -1, argsz: null }, answers: 'EFAULT' },
      ...close('null'),
    ],
  },
  { id: 'T17', lines: [unsetContainer('g', 'EINVAL')] },
  {
    id: 'T18',
    lines: [open(CONTAINER, 'c'), setContainer('g', 'c', 0), setContainer('g', 'c', 'EINVAL')],
  },
  { id: 'T19', lines: [status('g', 3)] },
  { id: 'T20', lines: [deviceFd('g', fake, 'd', 'EINVAL')] },
  { id: 'T21', lines: extensions('c', [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]) },
  { id: 'T22', lines: [1, 3, 9, 0].map((type) => setIommu('c', type, 'ENODEV')) },
  { id: 'T23', lines: [unprivileged(setIommu('c', 8, 'EPERM'))] },
  { id: 'T24', lines: [parameter('N'), setIommu('c', 8, 'ENODEV')] },
  { id: 'T25', lines: [parameter('Y'), setIommu('c', 8, 0), setIommu('c', 8, 'EINVAL')] },
  {
    id: 'T26',
    lines: [
      ...any('c', requests.VFIO_IOMMU_GET_INFO, 'ENOTTY'),
      { call: { ...mapAnything, fd: 'c', size: 2n << 20n }, answers: 'ENOTTY' },
      ...any('c', requests.VFIO_IOMMU_MAP_DMA, 'ENOTTY'),
      ...any('c', requests.VFIO_IOMMU_UNMAP_DMA, 'ENOTTY'),
      ...any('c', requests.VFIO_IOMMU_DIRTY_PAGES, 'ENOTTY'),
      ...any('c', 0xdead, 'ENOTTY'),
    ],
  },
  { id: 'T27', lines: [deviceFd('g', fake, 'd', 'fd')] },
  { id: 'T28', lines: [unsetContainer('g', 'EBUSY')] },
  { id: 'T29', lines: [unprivileged(deviceFd('g', fake, 'd2', 'fd'))] },
  { id: 'T30', lines: [...close('g'), open(fakeNode, 'g', 'EBUSY')] },
  {
    id: 'T31',
    lines: [...close('d', 'd2'), open(fakeNode, 'g'), status('g', 1), ...close('g', 'c')],
  },
];

/** T32 to T42: real groups, alone and beside the fake one, which must stand bound. */
export const realGroupVectors = (cast: RealCast): readonly Vector[] => [
  {
    id: 'T32',
    lines: [
      ...[override(cast.single, 'vfio-pci'), unbind(cast.single, HOST_DRIVER), bind(cast.single, 'vfio-pci')],
      ...[open(cast.singleNode, 'r'), open(cast.fakeNode, 'g'), open(CONTAINER, 'c')],
      ...[setContainer('r', 'c', 0), setContainer('g', 'c', 'EPERM'), unsetContainer('r', 0)],
    ],
  },
  {
    id: 'T33',
    lines: [setContainer('g', 'c', 0), setContainer('r', 'c', 'EPERM'), unsetContainer('g', 0)],
  },
  {
    id: 'T34',
    lines: [setContainer('r', 'c', 0), unprivileged(setContainer('g', 'c', 'EPERM')), unsetContainer('r', 0)],
  },
  {
    id: 'T35',
    lines: [
      ...[
        setContainer('g', 'c', 0),
        unsetContainer('g', 0),
        setContainer('r', 'c', 0),
        unsetContainer('r', 0),
      ],
      ...close('g', 'c', 'r'),
    ],
  },
  {
    id: 'T36',
    lines: [
      ...[override(cast.first, 'vfio-pci'), unbind(cast.first, HOST_DRIVER), bind(cast.first, 'vfio-pci')],
      ...[open(cast.pairNode, 'r'), open(CONTAINER, 'c'), status('r', 0), setContainer('r', 'c', 'EPERM')],
    ],
  },
  {
    id: 'T37',
    lines: [unbind(cast.second, HOST_DRIVER), status('r', 1), setContainer('r', 'c', 0)],
  },
  { id: 'T38', lines: [bind(cast.second, HOST_DRIVER, 'EBUSY')] },
  { id: 'T39', lines: [{ call: { op: 'drivers.probe', device: cast.second }, answers: 'EINVAL' }] },
  {
    id: 'T40',
    lines: [
      ...[override(cast.second, 'vfio-pci'), bind(cast.second, 'vfio-pci'), unbind(cast.second, 'vfio-pci')],
      ...[override(cast.second, 'pci-stub'), bind(cast.second, 'pci-stub'), unbind(cast.second, 'pci-stub')],
      override(cast.second, ''),
    ],
  },
  { id: 'T41', lines: [setIommu('c', 6, 'EINVAL'), setIommu('c', 3, 0), ...close('r', 'c')] },
  {
    id: 'T42',
    lines: [
      ...[open(cast.singleNode, 'r'), open(CONTAINER, 'c'), setContainer('r', 'c', 0)],
      ...[setIommu('c', 9, 'EINVAL'), setIommu('c', 10, 'ENODEV')],
      ...[setIommu('c', 8, 'ENODEV'), setIommu('c', 2, 'ENODEV'), ...close('r', 'c')],
    ],
  },
];
