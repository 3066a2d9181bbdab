import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { nameMeant } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import {
  type Address,
  isUnknown,
  type Netdev,
  type PciFunction,
  type Snapshot,
} from '../machine/snapshot.ts';
import { arrivingFunctions, isBarren } from '../machine/virtual-functions.ts';
import type {
  AllowStatement,
  BindStatement,
  DeviceDeclaration,
  ForbidStatement,
  LabelCondition,
  PolicyDeclaration,
  PolicyStatement,
  ProtectStatement,
  Requirement,
  Word,
} from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Scope } from './criteria.ts';
import { comesWithGroup, driverFor } from './drivers.ts';
import type { Host } from './hosts.ts';
import { devicesNamed } from './names.ts';
import type {
  Allow,
  Assumption,
  Bind,
  Confirm,
  Create,
  Forbid,
  HostPolicy,
  Limit,
  Persist,
  Protect,
  Require,
  ResolvedDevice,
} from './policy.ts';
import { principalName, whoMay } from './principals.ts';
import { forHosts } from './scopes.ts';
import { type Selection, select } from './select.ts';
import type { Sited, Sources } from './sources.ts';

export interface Statements
  extends Pick<
    HostPolicy,
    | 'devices'
    | 'binds'
    | 'allows'
    | 'forbids'
    | 'protects'
    | 'requires'
    | 'creates'
    | 'arriving'
    | 'limits'
    | 'persists'
    | 'confirms'
  > {
  readonly assumptions: readonly Assumption[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The declarations of all files, laid out once for all hosts. */
interface Declared {
  readonly devicesFor: (host: string) => readonly Sited<DeviceDeclaration>[];
  readonly policiesFor: (host: string) => readonly Sited<PolicyDeclaration>[];
  /** Devices by name, whatever hosts they are for. */
  readonly devices: ReadonlyMap<string, readonly Sited<DeviceDeclaration>[]>;
}

export function declaredIn({ devices, policies }: Sources, stray: ReadonlySet<string>): Declared {
  const byName = new Map<string, Sited<DeviceDeclaration>[]>();
  for (const sited of devices) {
    const { text } = sited.node.name;
    const namesakes = byName.get(text);
    if (namesakes !== undefined) namesakes.push(sited);
    else if (!stray.has(text)) byName.set(text, [sited]);
  }
  return {
    devicesFor: forHosts(devices, ({ node }) => node.on?.text),
    policiesFor: forHosts(policies, ({ node }) => node.on?.text),
    devices: byName,
  };
}

/** What the policies that apply to a host say about it. Without a snapshot only the names are looked at. */
export function resolveStatements(
  host: Host,
  declared: Declared,
  labels: ReadonlyMap<string, string>,
): Statements {
  const reader = new Reader(host, declared, labels);
  const policies = declared.policiesFor(host.name);
  reader.bring(policies.flatMap(({ node }) => node.statements));
  for (const sited of policies) {
    for (const statement of sited.node.statements) reader.read(sited, sited.node.name.text, statement);
  }
  return reader.finish();
}

/** Collects the statements of one host; devices are resolved when first named. */
class Reader {
  readonly #host: Host;
  readonly #labels: ReadonlyMap<string, string>;
  readonly #elsewhere: Declared['devices'];
  readonly #here = new Map<string, Sited<DeviceDeclaration>>();
  readonly #selections = new Map<string, Selection>();
  readonly #open = new Set<string>();
  #scope: Scope | undefined;
  #arriving: readonly PciFunction[] = [];
  #barren: ReadonlySet<Address> = new Set();
  readonly #groups = new Map<number, PciFunction[]>();
  readonly #binds: Bind[] = [];
  readonly #allows: (Allow & { readonly everything: boolean })[] = [];
  readonly #forbids: Forbid[] = [];
  readonly #protects: Protect[] = [];
  readonly #requires: Require[] = [];
  readonly #creates: Create[] = [];
  readonly #limits: Limit[] = [];
  readonly #persists: Persist[] = [];
  readonly #confirms: Confirm[] = [];
  readonly #diagnostics: Diagnostic[] = [];

  constructor(host: Host, declared: Declared, labels: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#labels = labels;
    this.#elsewhere = declared.devices;
    for (const sited of declared.devicesFor(host.name)) {
      const { text } = sited.node.name;
      if (!this.#here.has(text)) this.#here.set(text, sited);
    }
    if (!host.snapshot) return;
    this.#scope = this.#scopeWith(host.snapshot, host.snapshot.functions);
    for (const fn of host.snapshot.functions) {
      if (typeof fn.iommuGroup !== 'number') continue;
      this.#groups.set(fn.iommuGroup, [...(this.#groups.get(fn.iommuGroup) ?? []), fn]);
    }
  }

  /**
   * Virtual functions that the policies create are functions of their machine: devices are chosen among them, too. What
   * is chosen to have them is looked for without them first.
   */
  bring(statements: readonly PolicyStatement[]): void {
    const { snapshot } = this.#host;
    const counts = new Map<Address, number>();
    for (const statement of snapshot === undefined ? [] : statements) {
      if (statement.kind !== 'create') continue;
      for (const address of this.#select(statement.device.text)?.functions ?? []) {
        if (!counts.has(address)) counts.set(address, statement.count);
      }
    }
    if (snapshot === undefined || counts.size === 0) return;
    this.#arriving = arrivingFunctions(snapshot, counts);
    const { functions } = this.#scope ?? this.#scopeWith(snapshot, snapshot.functions);
    this.#barren = new Set([...counts.keys()].filter((address) => isBarren(functions.get(address))));
    this.#scope = this.#scopeWith(snapshot, [...snapshot.functions, ...this.#arriving]);
    this.#selections.clear();
  }

  #scopeWith(snapshot: Snapshot, functions: readonly PciFunction[]): Scope {
    return scopeOf(snapshot, functions, this.#barren, (name) => this.#select(name)?.functions ?? null);
  }

  read(origin: Origin, policy: string, statement: PolicyStatement): void {
    const place = placeOf(origin, statement);
    for (const word of devicesNamed(statement)) this.#checkScope(origin, word);
    if (!this.#scope) return;
    switch (statement.kind) {
      case 'bind':
        this.#bind(policy, statement, origin);
        return;
      case 'allow':
        this.#allow(policy, statement, origin);
        return;
      case 'forbid':
        this.#forbid(policy, statement, place);
        return;
      case 'forbid-unsafe-interrupts':
        this.#forbids.push({ policy, what: 'unsafe-interrupts', via: 'any', place });
        return;
      case 'protect':
        this.#protect(policy, statement, place);
        return;
      case 'require': {
        const { text: device } = statement.device;
        const functions = this.#select(device)?.functions;
        const what = required(statement.requirement);
        if (functions) this.#requires.push({ policy, device, functions, place, ...what });
        return;
      }
      case 'create': {
        const { device, count, countAt } = statement;
        const functions = this.#select(device.text)?.functions;
        const countPlace = placeOf(origin, countAt);
        if (functions)
          this.#creates.push({ policy, device: device.text, functions, count, countPlace, place });
        return;
      }
      case 'limit': {
        const who = { kind: statement.who, name: principalName(statement.who, statement.name.text) };
        const whoPlace = placeOf(origin, statement.name);
        this.#limits.push({ policy, who, whoPlace, bytes: statement.bytes, place });
        return;
      }
      case 'persist':
        this.#persists.push({ policy, until: statement.until, place });
        return;
      case 'confirm':
        this.#confirms.push({ policy, seconds: statement.seconds, place });
        return;
      case 'hole':
        return;
    }
  }

  finish(): Statements {
    // A device that is declared for this host is chosen even if no statement names it: what it says must be true.
    if (this.#scope) for (const [name, { node }] of this.#here) if (node.on) this.#select(name);
    const devices = new Map<string, ResolvedDevice>();
    for (const [name, { functions }] of this.#selections) {
      const sited = this.#here.get(name);
      if (!functions || !sited) continue;
      const place = placeOf(sited, sited.node.name);
      const { plural, dmaNone } = sited.node;
      const claim = dmaNone && { reason: dmaNone.reason.text, place: placeOf(sited, dmaNone) };
      devices.set(name, { name, plural, functions, place, ...(claim ? { dmaNone: claim } : {}) });
    }
    const taken = this.#taken();
    return {
      devices,
      binds: this.#binds,
      allows: this.#allows.map(({ everything, ...allow }) =>
        everything ? { ...allow, functions: taken } : allow,
      ),
      forbids: this.#forbids,
      protects: this.#protects,
      requires: this.#requires,
      creates: this.#creates,
      arriving: this.#arriving,
      limits: this.#limits,
      persists: this.#persists,
      confirms: this.#confirms,
      assumptions: [...this.#selections.values()].flatMap(({ assumptions }) => assumptions),
      diagnostics: [
        ...this.#diagnostics,
        ...[...this.#selections.values()].flatMap(({ diagnostics }) => diagnostics),
      ],
    };
  }

  /** `any device` of an allow: every function that a policy of this host gives to a VFIO driver. */
  #taken(): readonly Address[] {
    const taken = this.#binds.flatMap(({ functions, driver }) =>
      functions.filter((address) => isVfioDriver(driver(address) ?? '')),
    );
    return [...new Set(taken)].sort();
  }

  #checkScope(origin: Origin, word: Word): void {
    if (this.#here.has(word.text) || !this.#elsewhere.has(word.text)) return;
    const holes = { name: word.text, host: this.#host.name };
    const place = placeOf(origin, word);
    const meant = nameMeant(place, word.text, this.#here.keys());
    const cures = [...meant.cures, 'declare it for this host too, or narrow the policy: `policy … on HOST`'];
    const related = (this.#elsewhere.get(word.text) ?? []).slice(0, 3).map((other) => ({
      place: placeOf(other, other.node.on ?? other.node.name),
      message: `it is declared for \`${other.node.on?.text ?? '*'}\` here`,
    }));
    this.#diagnostics.push(report('VP2010', place, holes, { related, cures, fixes: meant.fixes }));
  }

  #select(name: string): Selection | undefined {
    const known = this.#selections.get(name);
    const sited = this.#here.get(name);
    if (known || !sited || !this.#scope) return known;
    // Chosen by itself: reported where the names are checked.
    if (this.#open.has(name)) return undefined;
    this.#open.add(name);
    const selection = select(sited, this.#host.name, this.#scope);
    this.#open.delete(name);
    this.#selections.set(name, selection);
    return selection;
  }

  #bind(policy: string, statement: BindStatement, origin: Origin): void {
    const chosen = this.#select(statement.device.text)?.functions;
    if (!chosen) return;
    const to = statement.driver.text;
    const functions = statement.wholeGroup ? this.#withGroups(chosen) : chosen;
    const byAddress = this.#scope?.functions;
    const driver = (address: Address) => {
      const fn = byAddress?.get(address);
      return fn ? driverFor(to, fn) : null;
    };
    const { wholeGroup, device } = statement;
    const [place, named] = [placeOf(origin, statement), placeOf(origin, device)];
    const toPlace = placeOf(origin, statement.driver);
    this.#binds.push({
      policy,
      device: device.text,
      functions,
      wholeGroup,
      to,
      toPlace,
      driver,
      place,
      named,
    });
  }

  #withGroups(chosen: readonly Address[]): readonly Address[] {
    const all = new Set(chosen);
    for (const address of chosen) {
      const group = this.#scope?.functions.get(address)?.iommuGroup;
      if (typeof group !== 'number') continue;
      for (const fn of this.#groups.get(group) ?? []) if (comesWithGroup(fn)) all.add(fn.address);
    }
    return [...all];
  }

  #allow(policy: string, statement: AllowStatement, origin: Origin): void {
    if (this.#excepted(statement.unless)) return;
    const { device, via, viaAt, principal } = statement;
    const everything = device.kind === 'any';
    const functions = device.kind === 'any' ? [] : this.#select(device.name.text)?.functions;
    if (!functions) return;
    const name = device.kind === 'any' ? 'any device' : device.name.text;
    this.#allows.push({
      policy,
      who: whoMay(principal),
      device: name,
      functions,
      via,
      ...(principal.name ? { whoPlace: placeOf(origin, principal.name) } : {}),
      ...(viaAt ? { viaPlace: placeOf(origin, viaAt) } : {}),
      place: placeOf(origin, statement),
      everything,
    });
  }

  #forbid(policy: string, statement: ForbidStatement, place: Place): void {
    if (this.#excepted(statement.unless)) return;
    const { device, via } = statement;
    const who = whoMay(statement.principal);
    if (device.kind === 'any') {
      this.#forbids.push({ policy, what: 'use', who, via, place });
      return;
    }
    const { text: name } = device.name;
    const functions = this.#select(name)?.functions;
    if (functions) this.#forbids.push({ policy, what: 'use', who, device: name, functions, via, place });
  }

  #protect(policy: string, statement: ProtectStatement, place: Place): void {
    const { device, holding } = statement;
    const functions = device ? this.#select(device.text)?.functions : [];
    const named = device && { device: device.text };
    if (functions) this.#protects.push({ policy, ...named, holding, functions, place });
  }

  #excepted(unless: LabelCondition | undefined): boolean {
    return unless !== undefined && this.#labels.get(unless.label.text) === unless.value.text;
  }
}

type Required = Require extends infer R
  ? R extends Require
    ? Omit<R, 'policy' | 'device' | 'functions' | 'place'>
    : never
  : never;

function required(requirement: Requirement): Required {
  switch (requirement.what) {
    case 'resets':
      return { what: 'resets', methods: requirement.methods.map(({ text }) => text) };
    case 'never':
      return { what: 'never', to: requirement.driver.text };
    default:
      return requirement;
  }
}

function scopeOf(
  snapshot: Snapshot,
  functions: readonly PciFunction[],
  barren: Scope['barren'],
  device: Scope['device'],
): Scope {
  const netdevs = new Map<string, Netdev>();
  if (!isUnknown(snapshot.netdevs)) for (const netdev of snapshot.netdevs) netdevs.set(netdev.name, netdev);
  return { snapshot, functions: new Map(functions.map((fn) => [fn.address, fn])), netdevs, barren, device };
}
