import { everywhere, type Rule, zero } from '../guard.ts';
import { changeNode, nodeAt, presentPath } from '../nodes.ts';
import type { Op } from '../op.ts';
import { memberOf } from '../permission.ts';
import type { Node, State, World } from '../state.ts';

type Own = Extract<Op, { op: 'node.own' }>;

/** chown(2)'s -1, "leave it". */
const unchanged = 0xffffffff;

export const nodeOwn: Rule<Own> = {
  words: {
    object: 'files',
    call: 'chown(path), chmod(path)',
    arguments: {
      path: 'a node below /dev/vfio',
      of: 'the function whose node it is, if it may have come back with another number',
      uid: 'the owner; 2^32-1 leaves it',
      gid: 'the group; 2^32-1 leaves it',
      mode: 'permission bits',
    },
    effect: 'The node has this owner, group and mode.',
    undo: '`node.own` with what was before',
  },
  guards: everywhere<Own>(
    {
      id: 'node.own.missing',
      words: 'there is no such node',
      errno: 'ENOENT',
      citation: 'fs/open.c:do_fchownat',
      applies: (world, state, op) => placeOf(world, state, op) === null,
    },
    {
      id: 'node.own.chown',
      words: 'giving the node to another owner needs CAP_CHOWN',
      errno: 'EPERM',
      citation: 'fs/attr.c:setattr_prepare (chown_ok, chgrp_ok)',
      applies: (world, state, op) => {
        const node = placeOf(world, state, op)?.node;
        const process = world.processes.get(op.pid);
        if (node === undefined || process === undefined || process.capabilities.has('CAP_CHOWN'))
          return false;
        const { uid, gid } = wanted(node, op);
        const owns = process.uid === node.uid;
        const gives = op.uid >>> 0 !== unchanged && !(owns && uid === node.uid);
        const regroups =
          op.gid >>> 0 !== unchanged && !(owns && (gid === node.gid || memberOf(process, gid)));
        return gives || regroups;
      },
    },
    {
      id: 'node.own.chmod',
      words: 'only the owner changes the mode, or who has CAP_FOWNER',
      errno: 'EPERM',
      citation: 'fs/attr.c:setattr_prepare (inode_owner_or_capable)',
      applies: (world, state, op) => {
        const node = placeOf(world, state, op)?.node;
        const process = world.processes.get(op.pid);
        if (node === undefined || process === undefined || process.capabilities.has('CAP_FOWNER'))
          return false;
        return process.uid !== wanted(node, op).uid;
      },
    },
  ),
  effect: (world, state, op) => {
    const place = placeOf(world, state, op);
    if (place === null) return zero;
    const node = wanted(place.node, op);
    const same = node.uid === place.node.uid && node.gid === place.node.gid && node.mode === place.node.mode;
    return { state: same ? state : changeNode(state, place, node), value: 0 };
  },
  undo: (world, before, op) => {
    const place = placeOf(world, before, op);
    return place === null ? { none: 'there is no such node' } : { ...op, ...place.node };
  },
};

function placeOf(world: World, state: State, { path, of }: Own): ReturnType<typeof nodeAt> {
  const present = of === undefined ? path : presentPath(world, state, path, of);
  return present === null ? null : nodeAt(state, present);
}

function wanted(node: Node, op: Own): Node {
  const uid = op.uid >>> 0;
  const gid = op.gid >>> 0;
  return {
    uid: uid === unchanged ? node.uid : uid,
    gid: gid === unchanged ? node.gid : gid,
    mode: op.mode & 0o7777,
  };
}
