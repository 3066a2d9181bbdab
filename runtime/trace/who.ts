import { capabilityNames } from '../abi/capability.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { Backend, Credentials } from '../backend.ts';

/** Who the process behind a backend is, as its kernel shows it (fs/proc/array.c, fs/proc/base.c). */
export function credentialsOf(backend: Backend): Credentials {
  const status = textOf(backend, '/proc/self/status');
  const numbers = (name: string): readonly number[] =>
    (new RegExp(`^${name}:[ \t]*(.*)$`, 'm').exec(status)?.[1] ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const memlock = /^Max locked memory\s+(\d+)/m.exec(textOf(backend, '/proc/self/limits'))?.[1];
  return {
    uid: numbers('Uid')[1] ?? 0,
    gid: numbers('Gid')[1] ?? 0,
    groups: numbers('Groups'),
    capabilities: capabilityNames.flatMap((name, bit) =>
      ((mask >> BigInt(bit)) & 1n) === 1n ? [`CAP_${name}`] : [],
    ),
    memlock: memlock === undefined ? null : Number(memlock),
  };
}

/** More than either file has. */
const most = 16_384;

/** What cannot be read is empty. */
function textOf(backend: Backend, path: string): string {
  const fd = backend.open(path, fcntl.O_RDONLY | fcntl.O_CLOEXEC);
  if (fd < 0) return '';
  const bytes = backend.read(fd, most);
  backend.close(fd);
  return typeof bytes === 'number' ? '' : new TextDecoder().decode(bytes);
}
