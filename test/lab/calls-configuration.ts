import { fcntl } from '../../runtime/abi/fcntl.ts';
import type { Backend } from '../../runtime/backend.ts';
import type { Op } from '../../src/model/op.ts';
import { type Answer, plain } from './calls.ts';

/** As the kernel is asked, one call after another; a new text is written beside the file and takes its name. */
export function onConfiguration(backend: Backend, op: Extract<Op, { op: `config.${string}` }>): Answer {
  if (op.op === 'config.make_directory') return plain(backend.mkdir(op.path, 0o755));
  if (op.op === 'config.remove_directory') return plain(backend.rmdir(op.path));
  if (op.op === 'config.remove') return plain(backend.unlink(op.path));
  const beside = `${op.path}~`;
  const fd = backend.open(beside, fcntl.O_WRONLY | fcntl.O_CREAT | fcntl.O_TRUNC | fcntl.O_CLOEXEC);
  if (fd < 0) return plain(fd);
  backend.write(fd, new TextEncoder().encode(op.text));
  backend.close(fd);
  const moved = backend.rename(beside, op.path);
  if (moved < 0) backend.unlink(beside);
  return plain(moved);
}
