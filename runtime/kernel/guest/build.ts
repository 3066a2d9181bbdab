/** Small words for building directories. */
import type { Attribute, Directory, Link, Node } from './node.ts';

type Entries = Readonly<Record<string, Node | undefined>>;

/** A directory whose entries are asked for anew each time; those that are undefined are not there. */
export function directory(entries: () => Entries): Directory {
  return {
    kind: 'directory',
    lookup: (name) => {
      const all = entries();
      return Object.hasOwn(all, name) ? all[name] : undefined;
    },
    names: () => Object.entries(entries()).flatMap(([name, node]) => (node === undefined ? [] : [name])),
  };
}

/** A directory of many: `lookup` finds one without making the others. */
export function collection(
  names: () => readonly string[],
  lookup: (name: string) => Node | undefined,
): Directory {
  return { kind: 'directory', names, lookup };
}

/** A read-only file of sysfs with a known text; `undefined`, so no file, when the text is not known. */
export function shows(text: string | undefined): Attribute | undefined {
  return text === undefined
    ? undefined
    : { kind: 'attribute', mode: 0o444, size: 4096, read: () => `${text}\n` };
}

/** A link in directory `from` to `target`, both absolute, relative as sysfs writes them. */
export function link(from: string, target: string): Link {
  const here = from.split('/');
  const there = target.split('/');
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same += 1;
  return {
    kind: 'link',
    target,
    text: [...Array<string>(here.length - same).fill('..'), ...there.slice(same)].join('/'),
  };
}
