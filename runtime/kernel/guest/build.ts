/** Small words for building directories. */
import type { Attribute, Directory, Link, Node } from './node.ts';

/** An entry, or how to make it when it is asked for; `undefined` is not there. */
type Entry = Node | undefined | (() => Node | undefined);

/** A directory with known names. Entries that are functions are made anew for each question. */
export function directory(entries: Readonly<Record<string, Entry>>): Directory {
  const map = new Map(Object.entries(entries));
  const lookup = (name: string): Node | undefined => {
    const entry = map.get(name);
    return typeof entry === 'function' ? entry() : entry;
  };
  return {
    kind: 'directory',
    lookup,
    names: () => [...map.keys()].filter((name) => lookup(name) !== undefined),
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

/** A file of sysfs that takes writes: the answer is that of the model's operation. */
export function takes(
  mode: number,
  write: (text: string, pid: number) => number,
  read?: () => string,
): Attribute {
  const file = { kind: 'attribute', mode, size: 4096 } as const;
  const answer = (text: string, pid: number): number => Math.min(0, write(text, pid));
  return read === undefined ? { ...file, write: answer } : { ...file, read, write: answer };
}

/** A link in directory `from` to `target`, both absolute. */
export function link(from: string, target: string): Link {
  return { kind: 'link', target, from };
}

/** A directory, link or file that stays, in a directory that stays. */
export function kept<T extends Directory | Link | Attribute>(node: T): T {
  return { ...node, kept: true };
}
