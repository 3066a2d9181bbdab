import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import type { Backend } from '../../../runtime/backend.ts';
import type { MachineFiles, Missing } from '../../../runtime/probe/files.ts';

/** The files of a simulated machine, to be read as a real one's are. */
export function filesOf(kernel: Backend): MachineFiles {
  const missing = (path: string, answer: number): Missing => {
    const code = errnoOf(answer) ?? '';
    return { absent: ['ENOENT', 'ENOTDIR'].includes(code), unknown: `${path}: ${code}` };
  };
  const part = (path: string, offset: number, length: number) => {
    const fd = kernel.open(path, fcntl.O_RDONLY);
    if (fd < 0) return missing(path, fd);
    // Sysfs makes an attribute's text when it is read from the start.
    const bytes = kernel.pread(fd, offset + length, 0n);
    kernel.close(fd);
    return typeof bytes === 'number' ? missing(path, bytes) : bytes.subarray(offset);
  };
  return {
    kind: 'live',
    bytes: (path) => part(path, 0, 65536),
    part,
    list: (path) => {
      const names = kernel.list(path);
      return typeof names === 'number' ? missing(path, names) : names;
    },
    link: (path) => {
      const target = kernel.readlink(path);
      return typeof target === 'number' ? missing(path, target) : target;
    },
    status: (path) => {
      const found = kernel.stat(path);
      if (typeof found === 'number') return missing(path, found);
      return { ...found, device: found.type === 'character', directory: found.type === 'directory' };
    },
  };
}
