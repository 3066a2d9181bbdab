import type { TraceOperation } from '../../../src/wire/trace.ts';
import { kvmRequests } from '../../abi/kvm.ts';
import { wide } from '../operations.ts';
import { blank, operationFor } from './blank.ts';
import type { StraceCall } from './lines.ts';
import type { LoggedProcess, Opened } from './processes.ts';
import { bytesIn, descriptorIn, numberIn, requestIn, textIn } from './values.ts';

/**
 * What one call of a log is as an operation: `passed` says why it is none, `other` that it is none of VFIO's business. Only
 * what the log tells is taken from it; the rest is `untold`.
 */
export type Translated =
  | { readonly operation: TraceOperation; readonly untold: readonly string[] }
  | { readonly passed: string }
  | 'other';

type Fields = Readonly<Record<string, unknown>>;

/** A call on a descriptor that the process has. */
export function onDescriptor(call: StraceCall, { files }: LoggedProcess): Translated {
  const its = descriptorIn(call.args[0]);
  if (its === null) return 'other';
  const file = files.get(its.fd);
  if (file?.name === undefined) {
    if (file?.kind === 'other' && call.name === 'write') return written(file, call);
    if (tellsMachine(call, its.path))
      return { passed: 'a virtual machine is told of a file, and strace does not show which' };
    const shown = its.path !== undefined && /^\/dev\/(vfio\/|iommu$)|\[vfio-device\]/.test(its.path);
    return shown ? { passed: 'the log does not show how its descriptor was opened' } : 'other';
  }
  if (call.name === 'ioctl') return ioctl(file, file.name, call);
  const region = file.kind === 'device' ? onRegion(file.name, call) : null;
  if (region !== null) return region;
  return position(file, call) === 0n
    ? fileCall(file.name, call.name)
    : { passed: 'it is not at the beginning of the file' };
}

/** Whether a virtual machine's VFIO device is told of a file; without `-y` the request alone says so. */
function tellsMachine({ name, args }: StraceCall, path: string | undefined): boolean {
  if (name !== 'ioctl' || requestIn(args[1]) !== kvmRequests.KVM_SET_DEVICE_ATTR) return false;
  return path === undefined || path.includes('kvm-vfio');
}

function fileCall(fd: string, name: string): Translated {
  const kind = fileCalls[name];
  if (kind === undefined) return { passed: `\`${name}\` is no operation of the model` };
  return { operation: { op: 'file.call', fd, call: kind }, untold: [] };
}

const fileCalls: Readonly<Record<string, Extract<TraceOperation, { op: 'file.call' }>['call']>> = {
  read: 'read',
  pread64: 'read',
  write: 'write',
  pwrite64: 'write',
  lseek: 'lseek',
  mmap: 'mmap',
};

/** A read, write or mapping at a place of a device's file; null where the log tells no place. */
function onRegion(fd: string, { name, args }: StraceCall): Translated | null {
  const at = numberIn(name === 'mmap' ? args[5] : args[3]);
  const count = numberIn(name === 'mmap' ? args[1] : args[2]);
  if (at === null || count === null || at < 0n || count < 0n || count > 0xffffffffn) return null;
  const place = { fd, offset: wide(at) };
  switch (name) {
    case 'pread64':
      return { operation: { op: 'device.read', ...place, count: Number(count) }, untold: [] };
    case 'pwrite64': {
      const bytes = bytesIn(args[1]);
      if (bytes === null) return { passed: 'what was written is not told whole' };
      return {
        operation: { op: 'device.write', ...place, bytes },
        untold: [],
      };
    }
    case 'mmap': {
      const flags = args[3] ?? '';
      const shared = flags.includes('MAP_SHARED') || ((numberIn(flags) ?? 0n) & 3n) === 1n;
      return { operation: { op: 'device.mmap', ...place, length: Number(count), shared }, untold: [] };
    }
    default:
      return null;
  }
}

/** Where in a device's file the call reads, writes or maps; other files of VFIO's have no places. */
function position({ kind }: Opened, { name, args }: StraceCall): bigint {
  if (kind !== 'device') return 0n;
  const told = { pread64: args[3], pwrite64: args[3], mmap: args[5], lseek: args[1] }[name];
  return told === undefined ? 0n : (numberIn(told) ?? -1n);
}

function ioctl({ kind }: Opened, fd: string, { args }: StraceCall): Translated {
  const request = requestIn(args[1]);
  if (request === null) return { passed: 'its request is not told' };
  const argument = numberIn(args[2]);
  const op = operationFor(kind, request);
  const pointer: Fields = argument === 0n ? { argsz: null } : {};
  if (op === undefined) return blank('ioctl', { fd, request, ...pointer });
  const value = byValue[op];
  if (value !== undefined) {
    if (argument === null) return blank(op, { fd });
    return blank(op, { fd, [value]: Number(BigInt.asIntN(53, argument)) });
  }
  // strace tells what it knows of a structure in braces, and of VFIO's it knows none; a text it may show.
  const name = op === 'group.get_device_fd' ? textIn(args[2]) : null;
  return blank(op, { fd, ...pointer, ...(name === null ? {} : { name, argsz: undefined }) });
}

/** The field that an ioctl takes by value. */
const byValue: Readonly<Record<string, string>> = {
  'container.check_extension': 'extension',
  'container.set_iommu': 'type',
};

/** A write to a file of sysfs, where it is an operation of the model. */
function written({ path }: Opened, { args }: StraceCall): Translated {
  const made = patterns
    .map(({ path: at, make }) => ({ found: at.exec(path), make }))
    .find(({ found }) => found);
  if (made?.found == null)
    return path.startsWith('/sys/') ? { passed: 'no operation of the model writes there' } : 'other';
  const text = textIn(args[1]);
  if (text === null) return { passed: 'what was written is not told whole' };
  return { operation: made.make(text.replace(/\n$/, ''), made.found), untold: [] };
}

interface Pattern {
  readonly path: RegExp;
  readonly make: (text: string, found: RegExpExecArray) => TraceOperation;
}

const patterns: readonly Pattern[] = [
  {
    path: /^\/sys\/bus\/pci\/drivers\/([^/]+)\/bind$/,
    make: (device, [, driver = '']) => ({ op: 'driver.bind', driver, device }),
  },
  {
    path: /^\/sys\/bus\/pci\/drivers\/([^/]+)\/unbind$/,
    make: (device, [, driver = '']) => ({ op: 'driver.unbind', driver, device }),
  },
  { path: /^\/sys\/bus\/pci\/drivers_probe$/, make: (device) => ({ op: 'drivers.probe', device }) },
  {
    path: /^\/sys\/(?:bus\/pci\/devices|devices\/.*)\/([0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])\/driver_override$/,
    make: (text, [, device = '']) => ({ op: 'override.write', device, text }),
  },
  {
    path: /^\/sys\/module\/([^/]+)\/parameters\/([^/]+)$/,
    make: (text, [, module = '', parameter = '']) => ({ op: 'parameter.write', module, parameter, text }),
  },
];
