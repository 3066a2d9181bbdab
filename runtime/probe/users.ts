import type { Fact, Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';

/** Local users and groups, and the capabilities that pam_cap gives at login. Directory services are not asked. */
export function readUsers(files: MachineFiles): Pick<Snapshot, 'users' | 'userGroups'> {
  const passwd = textOf(files, '/etc/passwd');
  const group = textOf(files, '/etc/group');
  const groups = isMissing(group) ? [] : rowsOf(group).flatMap(groupOf);
  const userGroups = isMissing(group)
    ? reason(group)
    : unique(groups.map(({ name, gid }) => ({ name, gid })));
  if (isMissing(passwd)) return { users: reason(passwd), userGroups };
  if (isMissing(group)) return { users: reason(group), userGroups };
  const capabilities = capabilitiesOf(files);
  const users = rowsOf(passwd).flatMap(([name = '', , uid = '', gid = '']) => {
    if (name === '' || !isId(uid) || !isId(gid)) return [];
    const member = groups.filter(({ members }) => members.includes(name)).map((each) => each.name);
    return [
      { name, uid: Number(uid), gid: Number(gid), groups: member, capabilities: capabilities(name, member) },
    ];
  });
  return { users: unique(users), userGroups };
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function groupOf([name = '', , gid = '', members = '']: readonly string[]): Group[] {
  return name === '' || !isId(gid) ? [] : [{ name, gid: Number(gid), members: members.split(',') }];
}

function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^[#+-]/.test(line))
    .map((line) => line.split(':'));
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= 4_294_967_295;
}

/** The first of a name counts (getpwnam(3)). */
function unique<Row extends { readonly name: string }>(rows: readonly Row[]): readonly Row[] {
  const seen = new Map<string, Row>();
  for (const row of rows) if (!seen.has(row.name)) seen.set(row.name, row);
  return [...seen.values()];
}

/**
 * pam_cap reads `^cap_sys_rawio,cap_net_raw  alice @dpdk *` and takes the first line that names the user (capability.conf(5)).
 * Only what is marked `^` becomes ambient and so reaches a program; the rest is inheritable alone.
 */
function capabilitiesOf(
  files: MachineFiles,
): (user: string, groups: readonly string[]) => Fact<readonly string[]> {
  const text = textOf(files, '/etc/security/capability.conf');
  if (isMissing(text)) return () => (text.absent ? [] : reason(text));
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/));
  return (user, groups) => {
    const names = new Set(['*', user, ...groups.map((group) => `@${group}`)]);
    const [given = ''] = lines.find((words) => words.slice(1).some((word) => names.has(word))) ?? [];
    const ambient = given.split(',').filter((word) => /^[\^]cap_\w+$/i.test(word));
    return ambient.map((word) => word.slice(1).toUpperCase()).sort();
  };
}
