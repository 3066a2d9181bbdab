import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { isLowered, lower, type Reply } from '../../../runtime/lower/lower.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import type { Op } from '../../../src/model/op.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import { step } from '../../../src/model/step.ts';
import { show, touched } from '../../../src/model/view.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';
import { beginning, type Draw, draws, operation, physical, type Regions } from './random-operations.ts';

/**
 * Lowering commutes with the model: an operation carried out as system calls and bytes on the simulated kernel answers
 * what `step` answers, and the files then show what `show` says. This proves descriptors, paths, bytes and permissions;
 * no fact about VFIO, which both sides take from the one model.
 */

const words = {
  functions: [
    { at: '0000:00:04.0', id: '8086:10d3', class: 'nic', driver: 'e1000e', group: null },
    {
      at: '0000:00:05.0',
      id: '8086:10d3',
      class: 'nic',
      driver: 'vfio-pci',
      driverOverride: 'vfio-pci',
      group: 7,
    },
    {
      at: '0000:00:06.0',
      id: '8086:10d3',
      class: 'nic',
      driver: 'vfio-pci',
      driverOverride: 'vfio-pci',
      group: 7,
    },
    {
      at: physical,
      id: '8086:10c9',
      class: 'nic',
      driver: 'igb',
      drivers: ['igb'],
      group: 8,
      sriov: { totalVfs: 2, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
    },
  ],
  drivers: ['vfio-pci', 'pci-stub', 'e1000e', 'igb'],
} as const;

const root = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_IPC_LOCK',
    'CAP_SYS_ADMIN',
    'CAP_SYS_MODULE',
    'CAP_SYS_RAWIO',
  ],
  memlock: null,
};
const user = { uid: 1000, gid: 1000, groups: [1000], capabilities: [], memlock: 8192 };

const size = 0x4000n;

function regionsOf(process: SimulatedProcess): Regions {
  const map = (protection: number, populate = 0): bigint => {
    const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS | populate;
    const address = process.mmap(Number(size), protection, flags, -1, 0n);
    if (typeof address === 'number') throw new Error(`mmap answered ${address}`);
    return address;
  };
  const both = mman.PROT_READ | mman.PROT_WRITE;
  const writable = map(both, mman.MAP_POPULATE);
  return { writable, untouched: map(both), readOnly: map(mman.PROT_READ), size };
}

/** One operation through the lowering; a passed descriptor has none, as it takes two processes. */
function carryOut(op: Op, process: SimulatedProcess, all: ReadonlyMap<number, SimulatedProcess>): Reply {
  if (op.op === 'descriptor.pass') {
    const to = all.get(op.to);
    if (to === undefined) throw new Error('no such process');
    const fd = process.pass(op.fd, to);
    const errno = errnoOf(fd);
    return errno === null ? { ok: true, value: fd } : { ok: false, errno };
  }
  if (!isLowered(op)) throw new Error('no random operation');
  return lower(process, op);
}

/** What GET_INFO of a container answers, to who asked a device's request of it. */
function another(op: Op, out: object): boolean {
  return op.op === 'device.hot_reset_info' && 'iova_pgsizes' in out;
}

/** Fields come back only from requests whose structure has room for what they answer. */
function outOf(op: Op, out: object | undefined): object {
  const whole =
    op.op === 'container.get_info' ||
    !('argsz' in op) ||
    op.argsz === undefined ||
    op.argsz === null ||
    op.argsz >= 24;
  return out === undefined || op.op === 'ioctl' || !whole || another(op, out) ? {} : { out };
}

async function run(profile: ProfileId, drawn: readonly Draw[]): Promise<string[]> {
  const snapshot = machine({ ...words, functions: [...words.functions], drivers: [...words.drivers] });
  const sandbox = await bootSandbox(snapshot, { profile, deadlineMs: 30_000 });
  const both = [sandbox.process(root), sandbox.process(user)];
  const processes = new Map(both.map((process) => [process.pid, process]));
  const model = worldFrom(snapshot, {
    profile,
    virtualFunctions: true,
    processes: both.map(({ pid }, index) => {
      const who = index === 0 ? root : user;
      return { ...who, pid, capabilities: new Set<string>(who.capabilities) };
    }),
  });
  const pids = [...processes.keys()];
  const [first] = both;
  const regions = both.map(regionsOf)[0];
  if (first === undefined || regions === undefined) throw new Error('no process');
  let { state } = model;
  const done: string[] = [];
  const start = beginning(drawn.length, pids[0] ?? 0);
  for (const draw of [...start, ...drawn]) {
    const op = 'op' in draw ? draw : operation(draw, model.world, state, pids, regions);
    const expected = step(model.world, state, op);
    const paths = touched(model.world, state, op);
    const process = processes.get(op.pid);
    if (process === undefined) throw new Error('no process');
    const reply = carryOut(op, process, processes);
    done.push(`${JSON.stringify(op, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`);
    const { result } = expected;
    const trace = done.join('\n');
    if (!result.ok) {
      expect(reply, trace).toEqual({ ok: false, errno: 'blocks' in result ? 'blocked' : result.errno });
    } else {
      expect(reply, trace).toMatchObject({ ok: true, value: result.value, ...outOf(op, result.out) });
    }
    state = expected.state;
    for (const path of paths) {
      // `show` says null of what is not the model's, and this file is not.
      if (path === '/dev/null') continue;
      expect(observe(first, path), `${path} after\n${trace}`).toBe(show(model.world, state, path));
    }
    done[done.length - 1] += ` -> ${reply.ok ? reply.value : reply.errno}`;
  }
  sandbox.dispose();
  return done;
}

describe.each(['6.1', '6.12'] as const)('random operations on %s', (profile) => {
  it('answer through bytes what the model answers', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(draws, async (drawn) => {
        await run(profile, drawn);
      }),
      {
        seed,
        numRuns: Number(process.env['VFIOPLAN_RUNS'] ?? 10),
        endOnFailure: process.env['VFIOPLAN_RUNS'] !== undefined,
      },
    );
  });

  it('answer the same when they are made again', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(draws, async (drawn) => {
        expect(await run(profile, drawn)).toEqual(await run(profile, drawn));
      }),
      { seed, numRuns: 3 },
    );
  });
});
