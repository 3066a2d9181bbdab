import type { Place } from '../diagnostics/diagnostic.ts';
import type { Address, PciFunction } from '../machine/snapshot.ts';
import { functionOf, presentPath } from '../model/nodes.ts';
import type { Op } from '../model/op.ts';
import type { State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { undoOf } from '../model/undo.ts';
import { show, touched } from '../model/view.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { driverPath, isCdev, registeredPath } from './paths.ts';
import type { Precondition, ScriptStep } from './script.ts';
import { sentenceOf } from './sentence.ts';
import { type View, viewOf } from './ways.ts';

/**
 * A script in the making. Each operation is tried on the model at once, so that what comes later sees what the
 * machine will show by then: the number of a fake group, a node that does not exist yet.
 */
export class Draft implements View {
  readonly steps: ScriptStep[] = [];
  readonly preconditions: Precondition[] = [];
  readonly policy: HostPolicy;
  readonly world: World;
  readonly functions: ReadonlyMap<Address, PciFunction>;
  readonly #names = new Map<Address, string>();
  readonly #arriving: ReadonlySet<Address>;
  #state: State;

  constructor(policy: HostPolicy, start: { readonly world: World; readonly state: State }) {
    this.policy = policy;
    this.world = start.world;
    this.#state = start.state;
    this.#arriving = new Set(policy.arriving.map(({ address }) => address));
    this.functions = new Map(
      [...policy.snapshot.functions, ...policy.arriving].map((each) => [each.address, each]),
    );
    for (const named of [policy.allows, policy.creates, policy.binds]) {
      for (const { device, functions } of named.toSorted(byNearness)) {
        for (const address of functions) this.#names.set(address, device);
      }
    }
  }

  /** Appends an operation. One that the model refuses changes nothing for those that follow. */
  add(op: Op, why: readonly Place[], sentence = this.sentence(op)): void {
    this.steps.push({ op, sentence, why });
    this.#state = step(this.world, this.#state, op).state;
  }

  /** What an operation does, with the policy's names. */
  sentence(op: Op): string {
    return sentenceOf(op, this.#names);
  }

  /** What would take an operation back, or why nothing would. */
  wayBack(op: Op): Op | { readonly none: string } {
    return undoOf(this.world, this.#state, op);
  }

  need(precondition: Precondition): void {
    this.preconditions.push(precondition);
  }

  /** Whether the function is one that the policy creates. */
  arrives(address: Address): boolean {
    return this.#arriving.has(address);
  }

  /** What `path` shows after the operations so far. */
  shows(path: string): string | null {
    return show(this.world, this.#state, path);
  }

  cdevOf(address: Address): string | null {
    return viewOf(this.world, this.#state).cdevOf(address);
  }

  /** `vendor:device` of a function; null: there is none. */
  identityOf(address: Address): string | null {
    const fn = this.functions.get(address);
    return fn === undefined ? null : `${fn.vendor}:${fn.device}`;
  }

  /** Where the function's node of the kind of `path` stands by now; null: it has none. */
  nodeNow(path: string, of: Address): string | null {
    return presentPath(this.world, this.#state, path, of);
  }

  /** The function whose node stands at a path with a number that the kernel hands out; null for any other path. */
  ownerOf(path: string): Address | null {
    return functionOf(this.world, this.#state, path);
  }

  /** The driver that the function is bound to by now. */
  boundTo(address: Address): string | null {
    return this.shows(driverPath(address));
  }

  /** Nodes that the operation would make disappear. */
  nodesLostBy(op: Op): readonly string[] {
    const before = this.#state;
    const after = step(this.world, before, op).state;
    // A device has a node of its own only as a member of a group of VFIO's.
    const kept =
      after.groups === before.groups &&
      after.containerNode === before.containerNode &&
      after.iommuNode === before.iommuNode;
    if (kept) return [];
    return touched(this.world, before, op).filter(
      (path) =>
        path.startsWith('/dev/') &&
        // A number that nobody tells is a guess, and so is whose node it is.
        !(this.world.strangers === null && isCdev(path)) &&
        show(this.world, after, path) === null,
    );
  }

  isRegistered(driver: string): boolean {
    return this.shows(registeredPath(driver)) !== null;
  }
}

/** Names that mean less come later, so that theirs stay, whatever order the statements are in. */
function byNearness(one: Named, other: Named): number {
  if (one.functions.length !== other.functions.length) return other.functions.length - one.functions.length;
  if (one.device === other.device) return 0;
  return one.device < other.device ? 1 : -1;
}

interface Named {
  readonly device: string;
  readonly functions: readonly Address[];
}
