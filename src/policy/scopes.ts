import { applies, isPattern } from './pattern.ts';

/**
 * Which of many declarations are for a host, in their order. `hostOf` gives the name or pattern that one is for, or
 * nothing for every host. A fleet has many names: they are looked up, and only patterns are tried on each host.
 */
export function forHosts<T>(
  all: readonly T[],
  hostOf: (declaration: T) => string | undefined,
): (host: string) => readonly T[] {
  const shared: Placed<T>[] = [];
  const named = new Map<string, Placed<T>[]>();
  all.forEach((declaration, index) => {
    const on = hostOf(declaration) ?? '*';
    const placed = { on, index, declaration };
    const own = named.get(on);
    if (isPattern(on)) shared.push(placed);
    else if (own === undefined) named.set(on, [placed]);
    else own.push(placed);
  });
  return (host) => {
    const own = named.get(host) ?? [];
    const fitting = shared.filter(({ on }) => on === '*' || applies(on, host));
    const both = own.length === 0 ? fitting : [...fitting, ...own].sort((a, b) => a.index - b.index);
    return both.map(({ declaration }) => declaration);
  };
}

interface Placed<T> {
  readonly on: string;
  readonly index: number;
  readonly declaration: T;
}
