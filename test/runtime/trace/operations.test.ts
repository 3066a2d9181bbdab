import { expect, test } from 'vitest';
import { type Bound, type Named, opens, operationOf, opOf, wide } from '../../../runtime/trace/operations.ts';
import type { Op } from '../../../src/model/op.ts';
import type { TraceOperation } from '../../../src/wire/trace.ts';

const numbers = new Map([
  ['container', 3],
  ['group', 4],
]);
const bound: Bound = {
  descriptor: (_pid, name) => (typeof name === 'number' ? name : (numbers.get(name) ?? -1)),
  pid: (process) => (process === 'user' ? 100 : 0),
};
const named: Named = {
  descriptor: (_pid, fd) => [...numbers].find(([, number]) => number === fd)?.[0] ?? fd,
  process: (pid) => (pid === 100 ? 'user' : 'root'),
};

test.each<[TraceOperation, Op]>([
  [
    { op: 'open', path: '/dev/vfio/vfio' },
    { op: 'open', pid: 100, path: '/dev/vfio/vfio' },
  ],
  [
    { op: 'group.set_container', fd: 'group', container: 'container', argsz: null },
    { op: 'group.set_container', pid: 100, fd: 4, container: 3, argsz: null },
  ],
  [
    { op: 'group.set_container', fd: -1, container: 99 },
    { op: 'group.set_container', pid: 100, fd: -1, container: 99 },
  ],
  [
    {
      ...{ op: 'container.map_dma', fd: 'container', flags: 3, memory: 'none' },
      ...{ vaddr: '0x7f0000000000', iova: '0xffffffffffffffff', size: '0x0' },
    },
    {
      ...{ op: 'container.map_dma', pid: 100, fd: 3, flags: 3, memory: 'none' },
      ...{ vaddr: 0x7f0000000000n, iova: 2n ** 64n - 1n, size: 0n },
    },
  ],
  [
    { op: 'descriptor.pass', fd: 'container', to: 'root' },
    { op: 'descriptor.pass', pid: 100, fd: 3, to: 0 },
  ],
  [
    { op: 'parameter.write', module: 'vfio', parameter: 'p', text: '0x10' },
    { op: 'parameter.write', pid: 100, module: 'vfio', parameter: 'p', text: '0x10' },
  ],
])('%j and the model say the same', (operation, op) => {
  expect(opOf(operation, 100, bound)).toEqual(op);
  expect(operationOf(op, named)).toEqual(operation);
});

test('the name of what an operation opens is the trace, not the model', () => {
  const operation: TraceOperation = { op: 'open', path: '/dev/vfio/vfio', as: 'container' };
  const op = opOf(operation, 0, bound);
  expect(op).toEqual({ op: 'open', pid: 0, path: '/dev/vfio/vfio' });
  expect(operationOf(op, named, 'container')).toEqual(operation);
  const openers = [
    'open',
    'group.get_device_fd',
    'descriptor.pass',
    'iommufd.fault_queue_alloc',
    'kvm.create_device',
    'kvm.create_vm',
  ];
  expect(openers.every(opens)).toBe(true);
  expect(opens('close')).toBe(false);
});

test('a negative wide number is its 64 bits', () => {
  expect(wide(-1n)).toBe('0xffffffffffffffff');
});
