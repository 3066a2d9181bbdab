import {
  dropInPath,
  ownPaths,
  parentOf,
  unitDirectory,
  usualDirectories,
} from '../../src/machine/configuration.ts';
import type { Fact, Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles } from './files.ts';
import { reason } from './functions.ts';
import { mountOfFile, readMounts } from './mounts.ts';

type Configuration = NonNullable<Snapshot['configuration']>;
type Known = Exclude<Configuration, { readonly unknown: string }>;

/**
 * What stands where vfioplan writes configuration files: the directories that there are, whether somebody else has
 * something in them, and the texts of files that have a name of ours, whoever wrote them.
 */
export function readConfiguration(files: MachineFiles): Configuration {
  const etc = files.list('/etc');
  if (isMissing(etc)) return files.kind === 'sysroot' && etc.absent ? noEtc : reason(etc);
  const names = new Map<string, readonly string[]>();
  for (const path of usualDirectories) {
    const found = files.list(path);
    if (!isMissing(found)) names.set(path, found);
    else if (!found.absent) return reason(found);
  }
  const units = (names.get(unitDirectory) ?? []).filter((name) =>
    /^[\w:@-][\w:.@-]*\.service\.d$/.test(name),
  );
  for (const name of units) {
    const path = `${unitDirectory}/${name}`;
    const found = files.list(path);
    if (!isMissing(found)) names.set(path, found);
    else if (!found.absent) return reason(found);
  }
  const ours = [...Object.values(ownPaths), ...units.map((name) => dropInPath(name.replace(/\.d$/, '')))];
  const there = ours.filter((path) =>
    names.get(parentOf(path))?.includes(path.slice(parentOf(path).length + 1)),
  );
  const listed = new Set<string>([...there, ...names.keys()]);
  return {
    readOnly: isReadOnly(files),
    directories: [...names].map(([path, entries]) => ({
      path,
      others: entries.some((name) => !listed.has(`${path}/${name}`)),
    })),
    files: there.map((path) => ({ path, text: textOf(files, path) })),
  };
}

const noEtc = { unknown: 'the captured tree has no /etc' } as const;

/** Texts longer than this are none of ours. */
const longest = 1_048_576;

function textOf(files: MachineFiles, path: string): Known['files'][number]['text'] {
  if (!isMissing(files.link(path))) return { unknown: `${path} is a link` };
  const bytes = files.bytes(path);
  if (isMissing(bytes)) return reason(bytes);
  if (bytes.length > longest) return { unknown: `${path} is longer than ${longest} bytes` };
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { unknown: `${path} is no text in UTF-8` };
  }
}

function isReadOnly(files: MachineFiles): Fact<boolean> {
  const mounts = readMounts(files);
  if (isMissing(mounts)) return reason(mounts);
  const mount = mountOfFile(mounts, '/etc');
  return mount === undefined ? { unknown: 'no mount holds /etc' } : mount.readOnly;
}
