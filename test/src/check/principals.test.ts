import { expect, test } from 'vitest';
import { nobodys, processOf } from '../../../src/check/principals.ts';
import { mayUse } from '../../../src/model/permission.ts';
import { machine } from '../../machines.ts';

const snapshot = machine({
  functions: [],
  users: [{ name: 'dpdk', uid: 990, groups: ['spdk'] }],
  userGroups: { spdk: 991 },
});

const node = (mode: number, uid: number, gid: number) => ({ mode, uid, gid });

test('a process of a group is a stranger but for the group, which it has beside one of its own', () => {
  const process = processOf(snapshot, { kind: 'group', name: 'spdk', capabilities: [] }, []);
  expect(process).toEqual({ ...nobodys, groups: [991] });
  if (process === null) throw new Error('the group is not found');
  expect(mayUse(process, node(0o660, 0, 991))).toBe(true);
  expect(mayUse(process, node(0o600, 990, 991))).toBe(false);
  expect(mayUse(process, node(0o660, 0, 992))).toBe(false);
});

test('to open what the group may open, a member by name and the process of the group are the same', () => {
  const [member, any] = (['user dpdk', 'group spdk'] as const).map((who) => {
    const [kind, name = ''] = who.split(' ') as ['user' | 'group', string];
    return processOf(snapshot, { kind, name, capabilities: [] }, []);
  });
  if (!member || !any) throw new Error('user or group is not found');
  for (const mode of [0o660, 0o640, 0o606])
    expect(mayUse(member, node(mode, 0, 991))).toBe(mayUse(any, node(mode, 0, 991)));
});

test('whom the snapshot does not tell of has no process', () => {
  expect(processOf(snapshot, { kind: 'group', name: 'kvm', capabilities: [] }, [])).toBeNull();
  expect(processOf(snapshot, { kind: 'anyone', name: 'anyone', capabilities: [] }, [])).toBeNull();
});
