import { nobodys, processOf } from '../../src/check/principals.ts';
import type { Address } from '../../src/machine/snapshot.ts';
import { applies } from '../../src/policy/pattern.ts';
import type { Allow, WhoMay } from '../../src/policy/policy.ts';
import { containerPath, groupPath, iommuPath } from '../../src/script/paths.ts';
import { nodeOf, nodesOf, type Way, wayOf } from '../../src/script/ways.ts';
import { worldOf } from '../../src/script/world.ts';
import type { Path } from '../../src/syntax/ast.ts';
import type { TraceOperation } from '../../src/wire/trace.ts';
import { iommufd } from '../abi/iommufd.ts';
import { vfio } from '../abi/vfio.ts';
import type { Credentials } from '../backend.ts';
import { credentialsOf } from '../kernel/credentials.ts';
import { wide } from '../trace/operations.ts';
import type { Scene } from './scene.ts';

/** Where the process's memory that it maps lies; any address of a page would do. */
const memoryAt = '0x10000000';

/** A principal's process on the machine of a test. Each call answers `ok` or the errno of the first that was refused. */
export class Actor {
  readonly #scene: Scene;
  readonly #who: WhoMay;
  readonly #name: string;
  #way: Way | undefined;
  #ioas = 0;

  constructor(scene: Scene, who: WhoMay) {
    this.#scene = scene;
    this.#who = who;
    this.#name = who.kind === 'anyone' ? 'anyone' : `${who.kind} ${who.name}`;
    scene.begin(this.#name, this.#credentials());
  }

  end(): void {
    this.#scene.end(this.#name);
  }

  /** The statements that allow this principal one of the functions. */
  allowsOf(functions: readonly Address[]): readonly Allow[] {
    const { kind, name } = this.#who;
    return (this.#scene.policy?.allows ?? []).filter(
      ({ who, functions: its }) =>
        who.kind === kind && applies(who.name, name) && its.some((address) => functions.includes(address)),
    );
  }

  /** Opens the node of each function, and closes it again: a group is opened by one at a time. */
  open(functions: readonly Address[], via: Path | undefined): string {
    for (const address of functions) {
      const { answer } = this.#call({ op: 'open', path: this.#nodeOf(address, via), as: 'node' });
      if (answer !== 'ok') return answer;
      this.#call({ op: 'close', fd: 'node' });
    }
    return 'ok';
  }

  /** Opens the nodes and takes the functions, all in one container or one iommufd, as a program does. */
  use(functions: readonly Address[], via: Path): string {
    const [first] = functions;
    if (first === undefined) return 'ok';
    this.#way = this.#wayOf(first, via);
    return this.#way === 'iommufd' ? this.#useByIommufd(functions) : this.#useByGroup(functions, this.#way);
  }

  /** Maps so many bytes of the process's memory at an I/O address. */
  map(bytes: number, at: bigint): string {
    const size = wide(BigInt(bytes));
    if (this.#way === 'iommufd') {
      const flags =
        iommufd.IOMMU_IOAS_MAP_FIXED_IOVA |
        iommufd.IOMMU_IOAS_MAP_WRITEABLE |
        iommufd.IOMMU_IOAS_MAP_READABLE;
      const range = { ioas: this.#ioas, vaddr: memoryAt, length: size, iova: wide(at) };
      return this.#call({ op: 'iommufd.ioas_map', fd: 'iommufd', flags, ...range, memory: 'writable' })
        .answer;
    }
    const flags = vfio.VFIO_DMA_MAP_FLAG_READ | vfio.VFIO_DMA_MAP_FLAG_WRITE;
    const range = { vaddr: memoryAt, iova: wide(at), size };
    return this.#call({ op: 'container.map_dma', fd: 'container', flags, ...range, memory: 'writable' })
      .answer;
  }

  #useByGroup(functions: readonly Address[], way: Way): string {
    const calls: TraceOperation[] = [{ op: 'open', path: containerPath, as: 'container' }];
    const nodes = new Set(functions.map((address) => this.#nodeOf(address, way)));
    const type = way === 'noiommu' ? vfio.VFIO_NOIOMMU_IOMMU : vfio.VFIO_TYPE1v2_IOMMU;
    let number = 0;
    for (const path of nodes) {
      number += 1;
      calls.push({ op: 'open', path, as: `group${number}` });
      calls.push({ op: 'group.set_container', fd: `group${number}`, container: 'container' });
      if (number === 1) calls.push({ op: 'container.set_iommu', fd: 'container', type });
    }
    for (const address of functions) {
      const group = [...nodes].indexOf(this.#nodeOf(address, way)) + 1;
      calls.push({ op: 'group.get_device_fd', fd: `group${group}`, name: address, as: 'device' });
    }
    return this.#first(calls);
  }

  #useByIommufd(functions: readonly Address[]): string {
    const opened = this.#call({ op: 'open', path: iommuPath, as: 'iommufd' });
    if (opened.answer !== 'ok') return opened.answer;
    for (const [index, address] of functions.entries()) {
      const device = `device${index + 1}`;
      const bound = this.#first([
        { op: 'open', path: this.#nodeOf(address, 'iommufd'), as: device },
        { op: 'device.bind_iommufd', fd: device, iommufd: 'iommufd', flags: 0 },
      ]);
      if (bound !== 'ok') return bound;
      if (index === 0) {
        const space = this.#call({ op: 'iommufd.ioas_alloc', fd: 'iommufd', flags: 0 });
        if (space.answer !== 'ok') return space.answer;
        this.#ioas = space.ioas;
      }
      const attached = this.#call({ op: 'device.attach_ioas', fd: device, target: this.#ioas, flags: 0 });
      if (attached.answer !== 'ok') return attached.answer;
    }
    return 'ok';
  }

  #first(calls: readonly TraceOperation[]): string {
    for (const call of calls) {
      const { answer } = this.#call(call);
      if (answer !== 'ok') return answer;
    }
    return 'ok';
  }

  #call(operation: TraceOperation): { readonly answer: string; readonly ioas: number } {
    return this.#scene.call(this.#name, operation);
  }

  /** Where no way is named: the one that is allowed to this principal, or to anybody, or that there is. */
  #wayOf(address: Address, via: Path | undefined): Way {
    const { policy, view } = this.#scene;
    if (via !== undefined && via !== 'any') return via;
    const others = policy?.allows.filter(({ functions }) => functions.includes(address)) ?? [];
    const allow = via === 'any' ? { who: this.#who, via } : (this.allowsOf([address])[0] ?? others[0]);
    if (policy !== undefined && allow !== undefined) return wayOf(worldOf(policy).world, allow, address);
    return nodesOf(view, address)[0]?.[0] ?? 'group';
  }

  /** A node that is not there answers as such to whoever opens it. */
  #nodeOf(address: Address, via: Path | undefined): string {
    const { view } = this.#scene;
    const way = this.#wayOf(address, via);
    return nodeOf(view, address, way) ?? `/dev/vfio/${view.shows(groupPath(address)) ?? address}`;
  }

  /** Whom the snapshot does not name, and whom nothing hands a node over, is a stranger. */
  #credentials(): Credentials {
    const { kind, name, capabilities } = this.#who;
    const { snapshot, policy } = this.#scene;
    const isLimited = policy?.limits.find(({ who }) => who.kind === kind && applies(who.name, name));
    const claims = new Set(capabilities);
    const handed = kind === 'user' || kind === 'group' || this.#isAllowedAny();
    const process = handed ? processOf(snapshot, this.#who, []) : null;
    const its = process ?? { ...nobodys, capabilities: claims };
    const memlock = isLimited?.bytes ?? its.memlock;
    return credentialsOf({ ...its, memlock });
  }

  #isAllowedAny(): boolean {
    return this.#scene.policy?.allows.some(({ functions }) => this.allowsOf(functions).length > 0) ?? false;
  }
}
