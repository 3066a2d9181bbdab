import type { Op } from '../../../src/model/op.ts';
import { nobody } from './machine.ts';
import { on, type Provocation, pid, plain } from './provocation.ts';
import type { Session } from './session.ts';

const file = '/etc/modprobe.d/vfioplan.conf';
const made = '/etc/systemd/system/vpp.service.d';

type Kind = 'write' | 'remove' | 'make_directory' | 'remove_directory';

function call(s: Session, kind: Kind, path: string, by = pid): unknown {
  const op = kind === 'write' ? { op: 'config.write', text: 'a\n' } : { op: `config.${kind}` };
  return s.call({ ...op, pid: by, path } as Op);
}

/** Who may write nothing, asked of what is there, so that nothing else is wrong. */
function unable(kind: Kind, path: string, prepare: (s: Session) => unknown = () => {}): Provocation {
  return plain((s) => {
    prepare(s);
    call(s, kind, path, nobody.pid);
  });
}

function readOnly(kind: Kind, path: string): Provocation {
  const directories = ['/etc/modprobe.d', '/etc/systemd', '/etc/systemd/system', made];
  return on([], (s) => call(s, kind, path), {
    configuration: {
      readOnly: true,
      directories: directories.map((each) => ({ path: each, others: false })),
      files: [{ path: file, text: 'a\n' }],
    },
  });
}

const make = (s: Session) => call(s, 'make_directory', made);
const write = (s: Session) => call(s, 'write', file);

/** Below what is a file, however deep. */
function below(kind: Kind, further = 'further'): Provocation {
  return plain((s) => {
    write(s);
    call(s, kind, `${file}/${further}`);
  });
}

export const configurationFiles: Readonly<Record<string, Provocation>> = {
  'config.write.directory': plain((s) => call(s, 'write', `${made}/60-vfioplan.conf`)),
  'config.write.not-directory': below('write', 'further/still'),
  'config.write.read-only': readOnly('write', file),
  'config.write.permission': unable('write', file),
  'config.write.is-directory': plain((s) => call(s, 'write', '/etc/modprobe.d')),
  'config.remove.directory': plain((s) => call(s, 'remove', '/etc/modprobe.d/..')),
  'config.remove.not-directory': below('remove'),
  'config.remove.read-only': readOnly('remove', file),
  'config.remove.missing': plain((s) => call(s, 'remove', file)),
  'config.remove.permission': unable('remove', file, write),
  'config.remove.is-directory': plain((s) => call(s, 'remove', '/etc/modprobe.d')),
  'config.make_directory.directory': plain((s) => call(s, 'make_directory', `${made}/further`)),
  'config.make_directory.exists': plain((s) => {
    write(s);
    call(s, 'make_directory', file);
    make(s);
    make(s);
  }),
  'config.make_directory.not-directory': below('make_directory', 'further/still'),
  'config.make_directory.read-only': readOnly('make_directory', '/etc/udev'),
  'config.make_directory.permission': unable('make_directory', made),
  // Where nothing may be changed either, the way is still walked first.
  'config.remove_directory.directory': readOnly('remove_directory', '/etc/udev/rules.d'),
  'config.remove_directory.not-directory': below('remove_directory'),
  'config.remove_directory.read-only': readOnly('remove_directory', made),
  'config.remove_directory.missing': plain((s) => call(s, 'remove_directory', made)),
  'config.remove_directory.permission': unable('remove_directory', made, make),
  'config.remove_directory.is-file': plain((s) => {
    write(s);
    call(s, 'remove_directory', file);
  }),
  'config.remove_directory.not-empty': plain((s) => {
    make(s);
    call(s, 'write', `${made}/60-vfioplan.conf`);
    call(s, 'remove_directory', made);
    call(s, 'remove', `${made}/60-vfioplan.conf`);
    call(s, 'remove_directory', made);
    call(s, 'remove_directory', '/etc/modprobe.d');
    call(s, 'remove_directory', '/etc/systemd');
  }),
};
