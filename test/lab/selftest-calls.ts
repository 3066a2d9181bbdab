/** IOMMU_TEST_CMD, byte by byte from drivers/iommu/iommufd/iommufd_test.h. */
import { fcntl } from '../../runtime/abi/fcntl.ts';
import type { Backend } from '../../runtime/backend.ts';
import { page } from './calls-iommufd.ts';

const request = 0x3ba0;
const size = 72;
const operations = {
  mockDomain: 2,
  mockDomainReplace: 10,
  mockDomainFlags: 12,
  dirty: 13,
  checkIotlb: 14,
} as const;

/** A device of the self-test: its own object, what stands for it in the iommufd, and the page table that it is attached to. */
export interface Mock {
  readonly object: number;
  readonly device: number;
  readonly table: number;
}

/** The IOMMU's own pages: MOCK_IO_PAGE_SIZE. */
const ioPage = 0x800n;

/** Makes a device and attaches it to what has this id (IOMMU_TEST_OP_MOCK_DOMAIN, or with flags MOCK_DOMAIN_FLAGS). */
export function makeMock(
  backend: Backend,
  fd: number,
  target: number,
  flags: number,
): { readonly answer: number; readonly mock: Mock } {
  const operation = flags === 0 ? operations.mockDomain : operations.mockDomainFlags;
  const view = command(operation, target);
  if (flags !== 0) view.setUint32(28, flags, true);
  const answer = ask(backend, fd, view);
  const [object, table, device] = [16, 20, 24].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  return { answer, mock: { object, device, table } };
}

/** Attaches a device to something else. */
export function replaceTable(
  backend: Backend,
  fd: number,
  { object }: Mock,
  target: number,
): { readonly answer: number; readonly table: number } {
  const view = command(operations.mockDomainReplace, object);
  view.setUint32(16, target, true);
  const answer = ask(backend, fd, view);
  return { answer, table: view.getUint32(16, true) };
}

/** Marks a page as a device does that writes there; `count` tells whether there was one to mark. */
export function dirtyPage(
  backend: Backend,
  fd: number,
  hwpt: number,
  iova: bigint,
): { readonly answer: number; readonly count: bigint } {
  const bitmap = page(backend);
  const memory = backend.open('/proc/self/mem', fcntl.O_RDWR | fcntl.O_CLOEXEC);
  backend.pwrite(memory, Uint8Array.of(1), bitmap);
  backend.close(memory);
  const view = command(operations.dirty, hwpt);
  view.setBigUint64(24, iova - (iova % ioPage), true);
  view.setBigUint64(32, ioPage, true);
  view.setBigUint64(40, ioPage, true);
  view.setBigUint64(48, bitmap, true);
  const answer = ask(backend, fd, view);
  return { answer, count: view.getBigUint64(56, true) };
}

/** Whether a line of a nested page table's IOTLB holds a value: 0, or a refusal. */
export function checkIotlb(backend: Backend, fd: number, hwpt: number, line: number, value: number): number {
  const view = command(operations.checkIotlb, hwpt);
  view.setUint32(16, line, true);
  view.setUint32(20, value, true);
  return ask(backend, fd, view);
}

function command(operation: number, id: number): DataView {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, size, true);
  view.setUint32(4, operation, true);
  view.setUint32(8, id, true);
  return view;
}

function ask(backend: Backend, fd: number, view: DataView): number {
  return backend.ioctl(fd, request, new Uint8Array(view.buffer));
}
