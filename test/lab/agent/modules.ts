/** Which files modprobe would load for a module, in order: depmod's tables of the kernel, as the guest has them too. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ModuleFiles } from './process.ts';

export function moduleFiles(kernel: string): ModuleFiles {
  const table = (name: string) => readFileSync(join(kernel, 'modules', name), 'utf8').split('\n');
  const release = readFileSync(join(kernel, 'release'), 'utf8').trim();
  const needs = new Map<string, readonly string[]>();
  const paths = new Map<string, string>();
  for (const line of table('modules.dep')) {
    const [path = '', rest = ''] = line.split(':');
    if (path === '') continue;
    paths.set(nameOf(path), `/lib/modules/${release}/${path}`);
    // modprobe goes from the end: what is needed by all others stands last.
    needs.set(nameOf(path), rest.split(' ').filter(Boolean).map(nameOf).reverse());
  }
  const after = new Map<string, readonly string[]>();
  for (const line of table('modules.softdep')) {
    const [, name = '', words = ''] = /^softdep (\S+) post: (.*)$/.exec(line) ?? [];
    after.set(name, words.split(' ').filter(Boolean));
  }
  const order = (name: string, done: Set<string>): string[] => {
    if (done.has(name) || !paths.has(name)) return [];
    done.add(name);
    const before = (needs.get(name) ?? []).flatMap((each) => order(each, done));
    const later = (after.get(name) ?? []).flatMap((each) => order(each, done));
    return [...before, name, ...later];
  };
  return (asked) => {
    const name = asked.replaceAll('-', '_');
    return order(name, new Set()).map((each) => ({ name: each, file: paths.get(each) ?? '' }));
  };
}

function nameOf(path: string): string {
  return basename(path.replace(/\.ko.*$/, '')).replaceAll('-', '_');
}
