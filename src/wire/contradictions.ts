import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { configurationOf } from '../machine/configuration.ts';
import { known, type Snapshot } from '../machine/snapshot.ts';
import type { Path } from './json.ts';

/**
 * What a schema cannot say of a snapshot: names are given once, and what is referred to is there. Such a snapshot
 * would let a fact hide behind its twin, for example a mounted disk behind an unmounted one of the same name.
 */
export interface Contradiction {
  readonly path: Path;
  readonly say: (place: Place, pointer: string) => Diagnostic;
}

/** At most `limit` contradictions, in document order of the lists. */
export function contradictions(snapshot: Snapshot, limit: number): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const addresses = new Set(snapshot.functions.map((pci) => pci.address));
  twice(found, ['functions'], 'address', 'the function', snapshot.functions);
  twice(found, ['iommu', 'groups'], 'id', 'the IOMMU group', known(snapshot.iommu.groups, []));
  const disks = known(snapshot.blockDevices, []);
  twice(found, ['blockDevices'], 'name', 'the block device', disks);
  const netdevs = known(snapshot.netdevs, []);
  twice(found, ['netdevs'], 'name', 'the network device', netdevs);
  twice(found, ['users'], 'name', 'the user', known(snapshot.users, []));
  twice(found, ['userGroups'], 'name', 'the user group', known(snapshot.userGroups, []));
  twice(found, ['nodes'], 'path', 'the node', known(snapshot.nodes, []));
  const { directories, files } = known(configurationOf(snapshot), { directories: [], files: [] });
  twice(found, ['configuration', 'directories'], 'path', 'the directory', directories);
  twice(found, ['configuration', 'files'], 'path', 'the file', files);

  const groups = known(snapshot.iommu.groups, null);
  if (groups !== null) {
    const ids = new Set<unknown>(groups.map((group) => group.id));
    dangling(found, ['functions'], 'iommuGroup', 'the IOMMU group', snapshot.functions, ids);
  }
  dangling(found, ['functions'], 'physicalFunction', 'the function', snapshot.functions, addresses);
  dangling(found, ['blockDevices'], 'function', 'the function', disks, addresses);
  const names = new Set(disks.map((disk) => disk.name));
  dangling(found, ['blockDevices'], 'parent', 'the block device', disks, names);
  dangling(found, ['netdevs'], 'function', 'the function', netdevs, addresses);
  return found.slice(0, limit);
}

function twice<Field extends string>(
  found: Contradiction[],
  list: Path,
  field: Field,
  what: string,
  entries: readonly { readonly [F in Field]: string | number }[],
): void {
  const seen = new Set<string | number>();
  entries.forEach((entry, index) => {
    const name = entry[field];
    if (seen.has(name))
      found.push({
        path: [...list, index, field],
        say: (place, pointer) =>
          report(
            'VP3012',
            place,
            { pointer, what, name },
            { cures: ['remove one of the two, or read the machine again with `vfioplan snapshot`'] },
          ),
      });
    seen.add(name);
  });
}

function dangling<Field extends string>(
  found: Contradiction[],
  list: Path,
  field: Field,
  what: string,
  entries: readonly { readonly [F in Field]: unknown }[],
  names: ReadonlySet<unknown>,
): void {
  entries.forEach((entry, index) => {
    const name = entry[field];
    if ((typeof name !== 'string' && typeof name !== 'number') || names.has(name)) return;
    found.push({
      path: [...list, index, field],
      say: (place, pointer) =>
        report(
          'VP3013',
          place,
          { pointer, what, name },
          { cures: ['add it, or read the machine again with `vfioplan snapshot`'] },
        ),
    });
  });
}
