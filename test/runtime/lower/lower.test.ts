import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { type LoweredOp, lower, type Reply } from '../../../runtime/lower/lower.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { Process, State } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { show, touched } from '../../../src/model/view.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

/**
 * Lowering commutes with the model: whatever operations are made, the bytes that the simulated kernel answers say what
 * the model says, and what its files show is what the model shows. The kernel asks the same model, so nothing here
 * says anything of VFIO; it says that no byte, number or path is lost on the way there and back.
 */
const nic = { id: '8086:1572', class: 'nic', drivers: ['e1000e'] } as const;
const snapshot = machine({
  functions: [
    { ...nic, at: '03:00.0', group: 7, driver: 'vfio-pci', driverOverride: 'vfio-pci' },
    { ...nic, at: '03:00.1', group: 7, driver: null },
    { ...nic, at: '04:00.0', group: null, driver: 'e1000e' },
  ],
  drivers: ['vfio-pci', 'e1000e'],
});
const addresses = ['0000:03:00.0', '0000:03:00.1', '0000:04:00.0', '0000:09:00.0'] as const;
const everything = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_IPC_LOCK',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
];
const who = [
  { pid: 1, uid: 0, gid: 0, groups: [], capabilities: everything },
  { pid: 2, uid: 1000, gid: 1000, groups: [], capabilities: [] },
];
const pid = fc.constantFrom(1, 1, 1, 2);
const fd = fc.integer({ min: 3, max: 7 });
const device = fc.constantFrom(...addresses);
const iova = fc.constantFrom(0n, 4096n, 0x100000n, 0xfee00000n, 123n);
const size = fc.constantFrom(4096n, 0x200000n, 0n, 5n);
const index = fc.nat(10);
/** `undefined` is left out of the operation: large enough. */
const argsz = fc.constantFrom(undefined, undefined, undefined, null, 0, 8, 16, 24, 32, 64);

const operation: fc.Arbitrary<LoweredOp> = fc.oneof(
  ...[
    fc.record({ op: fc.constant('open'), pid, path: fc.constantFrom('/dev/vfio/vfio', '/dev/vfio/7') }),
    fc.record({ op: fc.constant('open'), pid, path: fc.constantFrom('/dev/vfio/noiommu-0', '/dev/vfio/99') }),
    fc.record({ op: fc.constantFrom('close', 'container.api_version', 'device.reset'), pid, fd }),
    fc.record({ op: fc.constant('group.unset_container'), pid, fd }),
    fc.record({ op: fc.constant('container.check_extension'), pid, fd, extension: fc.nat(12) }),
    fc.record({ op: fc.constant('container.set_iommu'), pid, fd, type: fc.constantFrom(1, 3, 8, 5) }),
    fc.record({ op: fc.constant('group.set_container'), pid, fd, argsz, container: fd }),
    fc.record({ op: fc.constantFrom('group.get_status', 'device.get_info'), pid, fd, argsz }),
    fc.record({ op: fc.constant('group.get_device_fd'), pid, fd, argsz, name: device }),
    fc.record({ op: fc.constantFrom('device.region_info', 'device.irq_info'), pid, fd, argsz, index }),
    fc.record({
      op: fc.constant('container.unmap_dma'),
      pid,
      fd,
      argsz,
      flags: fc.constantFrom(0, 2, 9),
      iova,
      size,
    }),
    fc.record({ op: fc.constant('container.get_info'), pid, fd, argsz }),
    fc.record({
      op: fc.constant('container.dirty_pages'),
      pid,
      fd,
      argsz,
      flags: fc.constantFrom(1, 2, 4, 5),
      iova,
      size,
      pgsize: fc.constantFrom(4096n, 8192n),
      bitmapSize: fc.constantFrom(8n, 64n, 2n ** 40n),
      bitmap: fc.constantFrom('writable', 'none', 'kernel', 'unreadable'),
    }),
    fc.record({
      op: fc.constant('container.map_dma'),
      pid,
      fd,
      argsz,
      flags: fc.constantFrom(3, 1, 0, 64),
      vaddr: fc.constant(0x7000_0000_0000n),
      iova,
      size,
      memory: fc.constant('none'),
    }),
    fc.record({ op: fc.constant('file.call'), pid, fd, call: fc.constantFrom('read', 'lseek', 'mmap') }),
    fc.record({
      op: fc.constant('override.write'),
      pid,
      device,
      text: fc.constantFrom('vfio-pci', '', 'e1000e'),
    }),
    fc.record({
      op: fc.constantFrom('driver.bind', 'driver.unbind'),
      pid,
      driver: fc.constantFrom('vfio-pci', 'e1000e', 'nvme'),
      device,
    }),
    fc.record({ op: fc.constant('drivers.probe'), pid, device }),
    fc.record({
      op: fc.constant('parameter.write'),
      pid,
      module: fc.constant('vfio'),
      parameter: fc.constant('enable_unsafe_noiommu_mode'),
      text: fc.constantFrom('Y', 'N', '1', 'maybe'),
    }),
    fc.record({
      op: fc.constant('node.own'),
      pid,
      path: fc.constantFrom('/dev/vfio/7', '/dev/vfio/noiommu-0', '/dev/vfio/99'),
      uid: fc.constantFrom(0, 1000),
      gid: fc.constantFrom(0, 1000),
      mode: fc.constantFrom(0o600, 0o660),
    }),
  ].map((each: fc.Arbitrary<object>) => each.map(withoutUndefined)),
);

/** A session that gets somewhere, so that calls on devices and mappings are met at all; others come in between. */
const session: readonly LoweredOp[] = [
  { op: 'open', pid: 1, path: '/dev/vfio/vfio' },
  { op: 'open', pid: 1, path: '/dev/vfio/7' },
  { op: 'group.set_container', pid: 1, fd: 4, container: 3 },
  { op: 'container.set_iommu', pid: 1, fd: 3, type: 3 },
  { op: 'group.get_device_fd', pid: 1, fd: 4, name: '0000:03:00.0' },
];

describe('every operation, in any order', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await bootSandbox(snapshot);
  });
  afterAll(() => sandbox.dispose());

  test('answers on the simulated kernel what the model answers, and shows what it shows', async () => {
    const seen = new Set<string>();
    const walks = fc.tuple(fc.nat(session.length), fc.array(operation, { minLength: 60, maxLength: 120 }));
    await fc.assert(
      fc.asyncProperty(walks, async ([begun, ops]) => {
        sandbox.dispose();
        sandbox = await bootSandbox(snapshot);
        new Walk(sandbox).follow([...session.slice(0, begun), ...ops], seen);
      }),
      { seed, numRuns: 15 },
    );
    // Walks that only ever meet closed descriptors would agree about nothing.
    expect([...seen].filter((kind) => kind.endsWith(' ok')).length).toBeGreaterThan(14);
    expect([...seen].filter((kind) => / E[A-Z]+$/.test(kind)).length).toBeGreaterThan(30);
  }, 120_000);
});

class Walk {
  readonly #processes: ReadonlyMap<number, SimulatedProcess>;
  readonly #world;
  #state: State;

  constructor(sandbox: Sandbox) {
    const processes: readonly Process[] = who.map((each) => ({
      ...each,
      capabilities: new Set<string>(each.capabilities),
      memlock: null,
    }));
    const { world, state } = worldFrom(snapshot, { processes });
    this.#world = world;
    this.#state = state;
    this.#processes = new Map(who.map((each) => [each.pid, sandbox.process(each)]));
  }

  follow(ops: readonly LoweredOp[], seen: Set<string>): void {
    for (const op of ops) {
      const reply = this.#take(op);
      seen.add(`${op.op} ${reply.ok ? 'ok' : reply.errno}`);
    }
  }

  #take(op: LoweredOp): Reply {
    const [root, process] = [this.#processes.get(1), this.#processes.get(op.pid)];
    if (root === undefined || process === undefined) throw new Error('no process');
    const paths = touched(this.#world, this.#state, op);
    const { result, state } = step(this.#world, this.#state, op);
    const reply = lower(process, op);
    // What the simulated kernel does not know it says: other requests that share their number with one of these.
    const beyond = !reply.ok && reply.errno === 'ENOSYS' && !result.ok;
    if (!beyond) expect([op, reply]).toEqual([op, expected(result, reply)]);
    this.#state = state;
    for (const path of paths) {
      expect([op, path, observe(root, path)]).toEqual([op, path, show(this.#world, state, path)]);
    }
    return reply;
  }
}

/** The model's answer as a reply; of what is written back, what the lowering reads. */
function expected(result: Result, reply: Reply): Reply {
  if (!result.ok) return { ok: false, errno: 'errno' in result ? result.errno : 'blocked' };
  if (!reply.ok || reply.out === undefined) return { ok: true, value: result.value };
  return { ok: true, value: result.value, out: result.out as NonNullable<typeof reply.out> };
}

function withoutUndefined(op: object): LoweredOp {
  return Object.fromEntries(
    Object.entries(op).filter(([, value]) => value !== undefined),
  ) as unknown as LoweredOp;
}
