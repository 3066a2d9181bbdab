import type { Place } from '../diagnostics/diagnostic.ts';
import { oneOfTwo, removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { holds } from '../machine/holdings.ts';
import type { Address } from '../machine/snapshot.ts';
import type { Op } from '../model/op.ts';
import type { Hardware, Node, State } from '../model/state.ts';
import { driverFor } from '../policy/drivers.ts';
import type { Protect, Require } from '../policy/policy.ts';
import type { ScriptStep } from '../script/script.ts';
import { type Finding, found } from './finding.ts';
import { leaving } from './leaving.ts';
import type { Subject } from './subject.ts';

type Guarded = { readonly address: Address; readonly protect: Protect; readonly cause?: string };
type Never = Extract<Require, { what: 'never' }>;

/**
 * `protect` and `require` as laws on every state that a script passes through, not only on the last: after each step the
 * functions that it changed are looked at. What the rules have said of policy and machine alone is not said again, as
 * the caller leaves out what is explained.
 */
export class Laws {
  readonly #subject: Subject;
  readonly #guarded = new Map<number, Guarded>();
  readonly #nevers = new Map<number, Never[]>();
  readonly #touched = new Set<number>();
  readonly #told = new Set<unknown>();

  constructor(subject: Subject) {
    this.#subject = subject;
    const { protects, requires } = subject.policy;
    for (const protect of protects) {
      for (const address of protect.functions) {
        for (const index of this.#household(address)) this.#guarded.set(index, { address, protect });
      }
    }
    for (const require of requires) {
      if (require.what !== 'never') continue;
      for (const address of require.functions) {
        const index = subject.world.devices.get(address)?.index;
        if (index !== undefined) this.#nevers.set(index, [...(this.#nevers.get(index) ?? []), require]);
      }
    }
  }

  /** What a step breaks. */
  *after(step: ScriptStep, before: State, after: State): Iterable<Finding> {
    for (const hardware of this.#changed(step.op, before, after)) {
      this.#touched.add(hardware.index);
      // Who is allowed nothing any more loses the node of what is protected, too.
      if (step.op.op !== 'node.own' || step.why.length > 0) yield* this.#protected(step, hardware);
      yield* this.#never(hardware, after, `the plan comes to it: ${step.sentence}`, step.why[0]);
    }
    yield* this.#shared(step, after);
  }

  /** What was broken before the first step and is left so: a function that no step touches. */
  *untouched(end: State): Iterable<Finding> {
    for (const index of this.#nevers.keys()) {
      const hardware = this.#subject.world.hardware[index];
      if (hardware && !this.#touched.has(index)) yield* this.#never(hardware, end, 'it is bound so now');
    }
  }

  /** The function, those that share its group, and the physical function that it would vanish with. */
  *#household(address: Address): Iterable<number> {
    const { world, members } = this.#subject;
    const own = world.devices.get(address);
    if (own === undefined) return;
    yield own.index;
    const owner = own.physicalFunction === null ? undefined : world.devices.get(own.physicalFunction);
    if (owner !== undefined) yield owner.index;
    for (const sibling of own.group === null ? [] : (members.get(own.group) ?? [])) {
      const index = world.devices.get(sibling.address)?.index;
      if (index !== undefined) yield index;
    }
  }

  *#changed(op: Op, before: State, after: State): Iterable<Hardware> {
    const { world } = this.#subject;
    const named = 'device' in op && op.device !== undefined ? world.devices.get(op.device) : undefined;
    // A step on one function changes no others but its virtual ones.
    const places = named === undefined ? world.hardware.keys() : [named.index, ...named.virtualFunctions];
    for (const index of places) {
      const hardware = world.hardware[index];
      if (hardware && before.devices[index] !== after.devices[index]) yield hardware;
    }
  }

  *#protected({ sentence, why }: ScriptStep, hardware: Hardware): Iterable<Finding> {
    const { index, address } = hardware;
    const guarded = this.#guarded.get(index) ?? this.#holding(hardware);
    if (guarded === undefined || this.#told.has(guarded.protect)) return;
    this.#told.add(guarded.protect);
    const { protect } = guarded;
    // What is put back is wanted by no statement.
    const [place = protect.place] = why;
    const bind = this.#subject.policy.binds.find((each) => each.place === place);
    yield found(
      report(
        'VP3105',
        place,
        { address: guarded.address, touched: address },
        {
          related: [{ place: protect.place, message: `policy ${protect.policy} protects it here` }],
          causes: [
            ...(guarded.cause === undefined ? [] : [guarded.cause]),
            `the plan comes to it: ${sentence}`,
          ],
          cures: ['choose another device, or remove the protection'],
          fixes: bind === undefined ? [] : [leaving(this.#subject, bind)],
        },
      ),
      [address, guarded.address],
    );
  }

  /** `protect devices that hold …`, asked only of what a step changes and of those that share its group. */
  #holding({ address, group }: Hardware): Guarded | undefined {
    const { policy, snapshot, members } = this.#subject;
    for (const protect of policy.protects) {
      const siblings = group === null || protect.holding.length === 0 ? [] : (members.get(group) ?? []);
      for (const holder of new Set([address, ...siblings.map((each) => each.address)])) {
        if (!protect.holding.some((kind) => holds(snapshot, holder, kind).is === 'held')) continue;
        const cause =
          holder === address ? undefined : `${address} shares IOMMU group ${group} with ${holder}`;
        return { address: holder, protect, ...(cause === undefined ? {} : { cause }) };
      }
    }
    return undefined;
  }

  *#never({ index, address }: Hardware, state: State, cause: string, by?: Place): Iterable<Finding> {
    const driver = state.devices[index]?.driver ?? null;
    for (const require of this.#nevers.get(index) ?? []) {
      if (this.#told.has(require) || !this.#isBoundTo(require.to, address, driver)) continue;
      this.#told.add(require);
      yield found(
        report(
          'VP3130',
          require.place,
          { address, driver: driver ?? 'none' },
          {
            related: by === undefined ? [] : [{ place: by, message: 'this statement wants the step' }],
            causes: [cause],
            cures: ['remove the requirement, or the statement that leads there'],
            fixes:
              by === undefined ? [removal(require.place, 'the requirement')] : oneOfTwo(require.place, by),
          },
        ),
        [address],
      );
    }
  }

  #isBoundTo(to: string, address: Address, driver: string | null): boolean {
    if (to === 'none') return driver === null;
    if (driver === null) return false;
    if (to === 'vfio') return isVfioDriver(driver);
    const fn = this.#subject.functions.get(address);
    return fn !== undefined && driverFor(to, fn) === driver;
  }

  /** `isolated`: nobody but root has the node while a host driver sits in the group. */
  *#shared({ sentence }: ScriptStep, state: State): Iterable<Finding> {
    const { policy, world, members } = this.#subject;
    for (const require of policy.requires) {
      if (require.what !== 'isolated' || this.#told.has(require)) continue;
      for (const address of require.functions) {
        const own = world.devices.get(address);
        if (own === undefined || own.group === null || !givenAway(own, state)) continue;
        const others = (members.get(own.group) ?? []).filter((other) => {
          const driver = state.devices[world.devices.get(other.address)?.index ?? -1]?.driver ?? null;
          return (
            other.address !== address && driver !== null && world.drivers.get(driver)?.managesDma === false
          );
        });
        if (others.length === 0) continue;
        this.#told.add(require);
        const holes = { address, group: own.group, others: others.map((other) => other.address).join(', ') };
        const causes = [`so it is after a step of the plan: ${sentence}`];
        const cures = ['take the whole group: `bind … with its group to …`'];
        const fixes = [removal(require.place, 'the requirement')];
        yield found(report('VP3106', require.place, holes, { causes, cures, fixes }), [address]);
      }
    }
  }
}

/** Whether somebody else than root may open a node of the function. */
function givenAway({ index }: Hardware, { devices, groups }: State): boolean {
  const vfio = devices[index]?.vfio;
  const open = (node: Node | null | undefined) => !!node && (node.uid !== 0 || (node.mode & 0o066) !== 0);
  return !!vfio && (open(vfio.node) || open(groups[vfio.group]?.node));
}
