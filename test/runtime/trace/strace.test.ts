import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replay } from '../../../runtime/trace/replay.ts';
import { StraceLines } from '../../../runtime/trace/strace/lines.ts';
import { looksLikeStrace, readStrace } from '../../../runtime/trace/strace/read.ts';
import { requestIn, textIn } from '../../../runtime/trace/strace/values.ts';
import { readTrace } from '../../../src/wire/read-trace.ts';
import type { TraceCall, TraceRecord } from '../../../src/wire/trace.ts';
import { writeLines } from '../../../src/wire/write.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

const isCall = (record: TraceRecord): record is TraceCall => record.record === 'call';

function callsOf(text: string): readonly TraceCall[] {
  const { trace } = readStrace('log', text);
  return (trace?.records ?? []).map(({ record }) => record).filter(isCall);
}

const operationsOf = (text: string) => callsOf(text).map(({ operation }) => operation);

const container = 'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 3</dev/vfio/vfio>\n';
const opened = { op: 'open', path: '/dev/vfio/vfio', as: 'process.fd3' };
const group = 'openat(AT_FDCWD, "/dev/vfio/7", O_RDWR) = 4</dev/vfio/7>\n';

describe('the ways in which strace writes a call', () => {
  test.each([
    ['with names', 'ioctl(3</dev/vfio/vfio>, VFIO_CHECK_EXTENSION, 0x3) = 1'],
    ['-X verbose', 'ioctl(3</dev/vfio/vfio>, 0x3b65 /* VFIO_CHECK_EXTENSION */, 0x3) = 1'],
    ['-X raw', 'ioctl(3</dev/vfio/vfio>, 0x3b65, 0x3)  = 1'],
    ['without -y', 'ioctl(3, VFIO_CHECK_EXTENSION, 0x3) = 1'],
    ['with -yy', 'ioctl(3</dev/vfio/vfio<char 10:196>>, VFIO_CHECK_EXTENSION, 0x3) = 1'],
    ['by its fields', 'ioctl(3, _IOC(_IOC_NONE, 0x3b, 0x65, 0), 0x3) = 1'],
    ['with the time', '12:34:56.123456 ioctl(3, VFIO_CHECK_EXTENSION, 0x3) = 1'],
    ['with seconds', '1764000000.123456 ioctl(3, VFIO_CHECK_EXTENSION, 0x3) = 1'],
    ['with the time that it took', 'ioctl(3, VFIO_CHECK_EXTENSION, 0x3) = 1 <0.000012>'],
  ])('%s', (_, line) => {
    expect(callsOf(`${container}${line}\n`).slice(1)).toEqual([
      {
        record: 'call',
        process: 'process',
        operation: { op: 'container.check_extension', fd: 'process.fd3', extension: 3 },
        result: { value: 1 },
      },
    ]);
  });

  test('one number that has several names means what it means on the file', () => {
    const request =
      'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO or VFIO_IOMMU_GET_INFO or VFIO_IOMMU_SPAPR_TCE_GET_INFO';
    expect(requestIn(request)).toBe(0x3b70);
    expect(requestIn('FIONREAD')).toBeNull();
  });

  test('an error by its name, and a call that did not return', () => {
    const text = `${container}ioctl(3, VFIO_SET_IOMMU, 0x1) = -1 EINVAL (Invalid argument)\nclose(3) = ?\n`;
    expect(callsOf(text).map(({ result }) => result)).toEqual([{ value: 3 }, { errno: 'EINVAL' }, undefined]);
  });

  test('texts with escapes; a cut one is not told', () => {
    expect(textIn('"a\\n\\"b\\"\\x41\\101"')).toBe('a\n"b"AA');
    expect(textIn('"abc"...')).toBeNull();
    expect(textIn('"\\377"')).toBeNull();
    expect(textIn('0x7ffd')).toBeNull();
  });
});

describe('what a log tells', () => {
  test('what a structure holds is not told', () => {
    const lines = `${container}${group}ioctl(4, VFIO_GROUP_SET_CONTAINER, 0x7ffc) = 0\n`;
    expect(callsOf(lines)[2]).toMatchObject({ untold: ['argsz', 'container'], result: { value: 0 } });
    const none = `${container}${group}ioctl(4, VFIO_GROUP_SET_CONTAINER, NULL) = -1 EFAULT (Bad address)\n`;
    expect(callsOf(none)[2]).toMatchObject({ operation: { argsz: null }, untold: ['container'] });
  });

  test('a descriptor that comes back in a structure has no name', () => {
    const lines = [
      'openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3</dev/iommu>',
      'ioctl(3</dev/iommu>, _IOC(_IOC_NONE, 0x3b, 0x8e, 0), 0x7ffc) = 0',
      'ioctl(3</dev/iommu>, _IOC(_IOC_NONE, 0x3b, 0x8a, 0), 0x7ffc) = -1 ENOENT (No such file or directory)',
      'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 0</dev/vfio/vfio>',
    ];
    const [, queue, info, opened] = callsOf(`${lines.join('\n')}\n`);
    expect(queue).toMatchObject({
      operation: { op: 'iommufd.fault_queue_alloc', fd: 'process.fd3' },
      untold: ['argsz', 'flags'],
      result: { value: 0 },
    });
    expect(queue?.operation).not.toHaveProperty('as');
    expect(info).toMatchObject({ operation: { op: 'iommufd.get_hw_info' }, result: { errno: 'ENOENT' } });
    expect(opened?.operation).toMatchObject({ as: 'process.fd0' });
  });

  test('a virtual machine is no concern, but for what it is told of', () => {
    const log = (...more: readonly string[]) =>
      [
        `${container.trimEnd()}`,
        'openat(AT_FDCWD, "/dev/kvm", O_RDWR|O_CLOEXEC) = 5</dev/kvm>',
        'ioctl(5</dev/kvm>, KVM_CREATE_VM, 0) = 6<anon_inode:kvm-vm>',
        'ioctl(6<anon_inode:kvm-vm>, KVM_CREATE_DEVICE, 0x7ffc) = 0',
        ...more,
      ].join('\n');
    const told = log(
      'ioctl(7<anon_inode:kvm-vfio>, KVM_SET_DEVICE_ATTR, 0x7ffc) = 0',
      'ioctl(7, 0x4018aee1, 0x7ffc) = 0',
      'ioctl(8<anon_inode:kvm-vcpu:0>, KVM_SET_DEVICE_ATTR, 0x7ffc) = 0',
    );
    expect(operationsOf(log())).toEqual(operationsOf(container));
    expect(operationsOf(told)).toEqual(operationsOf(container));
    const passed = (text: string) =>
      readStrace('s', text).diagnostics.filter(({ code }) => code === 'VP3058');
    expect(passed(log())).toEqual([]);
    expect(passed(told).map(({ message }) => message)).toEqual([expect.stringContaining('2')]);
  });

  test('writes to sysfs are operations, and other files are nobody here', () => {
    const write = (path: string, text: string) =>
      `openat(AT_FDCWD, "${path}", O_WRONLY) = 5<${path}>\nwrite(5<${path}>, "${text}", 9) = 9\nclose(5) = 0\n`;
    const text = [
      write('/sys/bus/pci/drivers/e1000e/unbind', '0000:03:00.0'),
      write('/sys/devices/pci0000:00/0000:03:00.0/driver_override', 'vfio-pci\\n'),
      write('/sys/bus/pci/drivers/vfio-pci/bind', '0000:03:00.0\\n'),
      write('/sys/bus/pci/drivers_probe', '0000:03:00.0'),
      write('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode', 'Y'),
      write('/tmp/log', 'hello'),
    ].join('');
    expect(operationsOf(text)).toEqual([
      { op: 'driver.unbind', driver: 'e1000e', device: '0000:03:00.0' },
      { op: 'override.write', device: '0000:03:00.0', text: 'vfio-pci' },
      { op: 'driver.bind', driver: 'vfio-pci', device: '0000:03:00.0' },
      { op: 'drivers.probe', device: '0000:03:00.0' },
      { op: 'parameter.write', module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' },
    ]);
  });

  test('a read, a write and a mapping at a place of a device', () => {
    const device = 'ioctl(4, VFIO_GROUP_GET_DEVICE_FD, 0x7f) = 6<anon_inode:[vfio-device]>\n';
    const text = [
      ...[group, device, 'pread64(6<anon_inode:[vfio-device]>, "\\206\\200", 2, 7696581394432) = 2\n'],
      'pwrite64(6, "\\6\\0", 2, 7696581394436) = 2\n',
      'pwrite64(6, "\\1"..., 2, 0) = 2\n',
      'mmap(NULL, 4096, PROT_READ, MAP_SHARED, 6<anon_inode:[vfio-device]>, 0) = 0x7f0000000000\n',
    ].join('');
    expect(operationsOf(text).slice(2)).toEqual([
      { op: 'device.read', fd: 'process.fd6', offset: '0x70000000000', count: 2 },
      { op: 'device.write', fd: 'process.fd6', offset: '0x70000000004', bytes: [6, 0] },
      { op: 'device.mmap', fd: 'process.fd6', offset: '0x0', length: 4096, shared: true },
    ]);
  });

  test('threads share descriptors, children have their own, and execve closes some', () => {
    const text = [
      `7  ${container}`,
      '7  clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD, tls=0) = 8\n',
      '8  ioctl(3, VFIO_GET_API_VERSION, 0) = 0\n',
      '7  clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7f) = 9\n',
      '9  ioctl(3, VFIO_GET_API_VERSION, 0) = 0\n',
      '9  close(3) = 0\n',
      '9  +++ exited with 0 +++\n',
      '7  dup(3) = 5\n',
      '7  execve("/bin/true", ["true"], 0x7f /* 3 vars */) = 0\n',
      '8  +++ exited with 0 +++\n',
      '7  close(3) = 0\n',
      '7  +++ killed by SIGKILL +++\n',
    ].join('');
    const { trace } = readStrace('log', text);
    const told = trace?.records.map(({ record }) =>
      isCall(record)
        ? `${record.process} ${record.operation.op} ${'fd' in record.operation ? record.operation.fd : ''}`
        : `${record.record} ${'name' in record ? record.name : record.process}`,
    );
    expect(told).toEqual([
      ...['process p7', 'p7 open ', 'p7 container.api_version p7.fd3', 'process p9'],
      ...['p7 descriptor.pass p7.fd3', 'p9 container.api_version p9.fd3', 'p9 close p9.fd3', 'exit p9'],
      ...['p7 descriptor.pass p7.fd3', 'p7 close p7.fd3', 'exit p7'],
    ]);
  });

  test('a call in two parts counts where it returned, also where strace breaks the line', () => {
    const text = [
      `7  ${container}`,
      '7  ioctl(3, VFIO_GET_API_VERSION <unfinished ...>\n',
      '[pid 9] close(0) = 0\n',
      '7  <... ioctl resumed>, 0) = 0\n',
      '7  ioctl(3, VFIO_CHECK_EXTENSIONstrace: Process 26858 attached\n',
      ', 0x1) = 1\n',
    ].join('');
    const { trace } = readStrace('log', text);
    expect(trace?.records.map(({ line }) => line)).toEqual([1, 1, 4, 6]);
  });

  test('a descriptor that the log does not show being opened is passed over, and said', () => {
    const text = `${container}ioctl(9</dev/vfio/7>, VFIO_GROUP_GET_STATUS, 0x7f) = 0\nread(8</etc/passwd>, "", 1) = 0\n`;
    const { diagnostics } = readStrace('log', text);
    expect(diagnostics.map(({ code }) => code)).toEqual(['VP3058', 'VP3059']);
    expect(operationsOf(text)).toEqual([opened]);
  });
});

describe('any text', () => {
  test('gives an answer and never throws; what it gives is a sound trace', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...[
          'ioctl(3, ',
          'ioctl(4, VFIO_GROUP_SET_CONTAINER, ',
          '0x3b71',
          ', ',
          ')',
          ' = ',
          '0',
          '-1 EPERM',
          '?',
          '\n',
        ],
        ...[
          'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR)',
          '3</dev/vfio/vfio>',
          '"',
          '\\',
          '<',
          '>',
          '[pid 7] ',
        ],
        ...[
          '<unfinished ...>',
          '<... ioctl resumed>',
          'clone(flags=0x400) = 9',
          'dup(3) = 4',
          'close(3)',
          container,
          group,
        ],
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const { trace, diagnostics } = readStrace('log', pieces.join(''));
        expect(trace === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
        if (trace === undefined) return;
        const text = writeLines([trace.header.record, ...trace.records.map(({ record }) => record)]);
        expect(readTrace('t.jsonl', text).diagnostics).toEqual([]);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test('is told from a trace', () => {
    expect(looksLikeStrace('[pid  12] ioctl(3, VFIO_GET_API_VERSION, 0) = 0\n')).toBe(true);
    expect(looksLikeStrace('12  12:00:00 close(3)    = 0\n')).toBe(true);
    expect(looksLikeStrace('{"record":"header","about":"f(x) = 0"}\n')).toBe(false);
  });

  test('of a hostile line costs time linear in it', () => {
    for (const piece of ['<a', '"\\', '/*', '((((', '1 = ', '[pid 1] '])
      expect(() => new StraceLines().read(`ioctl(${piece.repeat(100_000)}`, 1, 0)).not.toThrow();
  });
});

describe('on the simulated kernel', () => {
  const bound = { id: '8086:10d3', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
  const snapshot = machine({ functions: [{ at: '03:00.0', ...bound, group: 7 }] });
  const session = [
    ...[container, group, 'ioctl(4, VFIO_GROUP_GET_STATUS, 0x7f) = 0\n'],
    'ioctl(4, VFIO_GROUP_SET_CONTAINER, 0x7f) = 0\n',
    'ioctl(3, VFIO_SET_IOMMU, 0x3) = 0\n',
    'ioctl(3, 0x3b71 /* VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA */, 0x7f) = 0\n',
    'ioctl(3, 0x3b71, 0x7f) = -1 EEXIST (File exists)\n',
    'ioctl(3, 0x3b71, 0x7f) = 0\n',
    'ioctl(3, 0x3b72, 0x7f) = 0\n',
    'ioctl(4, VFIO_GROUP_GET_DEVICE_FD, 0x7f) = 6<anon_inode:[vfio-device]>\n',
    'ioctl(6, VFIO_DEVICE_GET_REGION_INFO, 0x7f) = -1 EINVAL (Invalid argument)\n',
    'ioctl(4, VFIO_GROUP_UNSET_CONTAINER, 0) = -1 EBUSY (Device or resource busy)\n',
  ];

  async function replayed(lines: readonly string[]) {
    const { trace } = readStrace('log', lines.join(''));
    if (trace === undefined) throw new Error('no trace');
    return replay(trace, snapshot, { profile: '6.12' });
  }

  test('what is not told is found where there is something that answers so', async () => {
    const { divergence, made, untold } = await replayed(session);
    expect(divergence).toBeUndefined();
    expect([made, untold]).toEqual([12, 8]);
  });

  test('and a call that nothing answers so differs, as far as all was tried', async () => {
    const wrong = 'ioctl(4, VFIO_GROUP_SET_CONTAINER, 0x7f) = -1 ENOSPC (No space left on device)\n';
    const { divergence } = await replayed([...session.slice(0, 3), wrong]);
    expect(divergence).toMatchObject({ call: { line: 4 }, got: { value: 0 } });
    const unknown = 'ioctl(3, 0x3b71, 0x7f) = -1 EXDEV (Invalid cross-device link)\n';
    const { divergence: none, made } = await replayed([...session.slice(0, 5), unknown]);
    expect([none, made]).toEqual([undefined, 5]);
  });
});

test('the example is a log', () => {
  const text = readFileSync(
    new URL('../../../examples/05-a-recorded-trace/driver.strace', import.meta.url),
    'utf8',
  );
  expect(looksLikeStrace(text)).toBe(true);
});
