import { holds } from '../machine/holdings.ts';
import {
  type Address,
  type Fact,
  isUnknown,
  type Netdev,
  type PciFunction,
  type Snapshot,
} from '../machine/snapshot.ts';
import { numberOf } from '../machine/virtual-functions.ts';
import type { Holding, Selector } from '../syntax/ast.ts';
import { classPrefix } from './classes.ts';

/** A fact that a criterion asked and the snapshot does not tell. */
export interface Doubt {
  readonly fact: string;
  readonly unknown: string;
  /** What must hold for the criterion to match, and for it not to match, as a person reads it. */
  readonly sentence: string;
  readonly contrary: string;
  readonly expects?: readonly (string | number | boolean | null)[];
}

/** Whether a function matches. A criterion on an unknown fact neither matches nor not: its doubts say what is open. */
export type Verdict = boolean | readonly Doubt[];

/** What a selector needs beside the function: found once for a host, not once for each criterion. */
export interface Scope {
  readonly snapshot: Snapshot;
  readonly functions: ReadonlyMap<Address, PciFunction>;
  readonly netdevs: ReadonlyMap<string, Netdev>;
  /** Physical functions that shall have virtual ones and can have none that anybody could foretell, which is told there. */
  readonly barren: ReadonlySet<Address>;
  /** The functions of another declared device; `null` when it could not be resolved, which was said there. */
  readonly device: (name: string) => readonly Address[] | null;
}

export function matches(selector: Selector, fn: PciFunction, scope: Scope): Verdict {
  switch (selector.kind) {
    case 'hole':
      return true;
    case 'and':
      return all(selector.operands, (operand) => matches(operand, fn, scope));
    case 'or':
      return some(selector.operands, (operand) => matches(operand, fn, scope));
    case 'not': {
      const verdict = matches(selector.operand, fn, scope);
      return typeof verdict === 'boolean' ? !verdict : verdict.map(contrary);
    }
    case 'holding':
      return some(selector.what, (what) => holding(what, fn, scope));
    case 'device':
      return scope.device(selector.name.text)?.includes(fn.address) ?? false;
    case 'virtual':
      return virtual(selector, fn, scope);
    case 'in-group':
      return sharesGroup(scope.device(selector.name.text) ?? [], fn, scope);
    default:
      return attribute(selector.kind, selector.value.text, fn, scope);
  }
}

function contrary({ fact, unknown, sentence, contrary }: Doubt): Doubt {
  return { fact, unknown, sentence: contrary, contrary: sentence };
}

type Attribute = Extract<Selector, { readonly value: unknown }>['kind'];

function attribute(kind: Attribute, wanted: string, fn: PciFunction, scope: Scope): Verdict {
  const lower = wanted.toLowerCase();
  switch (kind) {
    case 'at':
      return fn.address === fullAddress(lower);
    case 'id':
      return idMatches(lower, fn.vendor, fn.device);
    case 'subsystem':
      return subsystem(lower, fn);
    case 'class':
      return fn.class.startsWith(classPrefix(wanted) ?? '-');
    case 'driver':
      return compare(fn, 'driver', fn.driver, wanted === 'none' ? null : wanted);
    case 'netdev':
      return includes(fn, 'netdevs', fn.netdevs, wanted);
    case 'block':
      return includes(fn, 'blockDevices', fn.blockDevices, wanted);
    case 'slot':
      return isUnknown(fn.slot) ? [doubt(fn, 'slot', fn.slot.unknown, wanted)] : fn.slot.join('/') === wanted;
    case 'label':
      return firmwareLabel(wanted, fn);
    case 'serial':
      if (isUnknown(fn.serial)) return [doubt(fn, 'serial', fn.serial.unknown, wanted, [wanted])];
      return fn.serial?.toLowerCase() === lower;
    case 'numa':
      return compare(fn, 'numaNode', fn.numaNode, Number(wanted));
    case 'mac':
      return mac(lower, fn, scope);
  }
}

/** `03:00.0` is in domain 0. */
export function fullAddress(text: string): Address {
  return /^[0-9a-f]{2}:/.test(text) ? `0000:${text}` : text;
}

function idMatches(wanted: string, vendor: string, device: string): boolean {
  const [wantedVendor, wantedDevice] = wanted.split(':');
  return wantedVendor === vendor && wantedDevice === device;
}

function subsystem(wanted: string, fn: PciFunction): Verdict {
  const { subsystemVendor, subsystemDevice } = fn;
  if (isUnknown(subsystemVendor)) return [doubt(fn, 'subsystemVendor', subsystemVendor.unknown, wanted)];
  if (isUnknown(subsystemDevice)) return [doubt(fn, 'subsystemDevice', subsystemDevice.unknown, wanted)];
  return idMatches(wanted, subsystemVendor, subsystemDevice);
}

function compare<T extends string | number | null>(
  fn: PciFunction,
  name: keyof PciFunction,
  fact: Fact<T>,
  wanted: T,
): Verdict {
  return isUnknown(fact) ? [doubt(fn, name, fact.unknown, String(wanted), [wanted])] : fact === wanted;
}

function includes(
  fn: PciFunction,
  name: keyof PciFunction,
  fact: Fact<readonly string[]>,
  wanted: string,
): Verdict {
  return isUnknown(fact) ? [doubt(fn, name, fact.unknown, wanted)] : fact.includes(wanted);
}

/** A snapshot that was taken before this was read does not tell it. */
function firmwareLabel(wanted: string, fn: PciFunction): Verdict {
  const fact = fn.firmwareLabel ?? untold;
  return fn.firmwareLabel === null ? false : compare(fn, 'firmwareLabel', fact, wanted);
}

const untold = { unknown: 'the snapshot does not tell the names that the firmware gives' };

/** By their numbers, from 0. */
function virtual(
  { name, range }: Extract<Selector, { kind: 'virtual' }>,
  fn: PciFunction,
  scope: Scope,
): Verdict {
  const owners = scope.device(name.text) ?? [];
  if (isUnknown(fn.physicalFunction)) {
    const owner = owners.join(' or ');
    return owners.includes(fn.address)
      ? false
      : [doubt(fn, 'physicalFunction', fn.physicalFunction.unknown, owner, owners)];
  }
  if (fn.physicalFunction === null || !owners.includes(fn.physicalFunction)) return false;
  if (range === undefined) return true;
  const number = numberOf(scope.snapshot, fn);
  return range.min <= number && number <= range.max;
}

/** The others of the group: what is named is not meant. */
function sharesGroup(named: readonly Address[], fn: PciFunction, scope: Scope): Verdict {
  if (named.includes(fn.address)) return false;
  return some(named, (address) => {
    const its = scope.functions.get(address);
    if (its === undefined || its.iommuGroup === null) return false;
    const sentence = `${fn.address} shares the IOMMU group of ${address}`;
    const contrary = `${fn.address} does not share the IOMMU group of ${address}`;
    for (const { address: at, iommuGroup } of [its, fn]) {
      if (!isUnknown(iommuGroup)) continue;
      return [{ fact: `/functions/${at}/iommuGroup`, unknown: iommuGroup.unknown, sentence, contrary }];
    }
    return its.iommuGroup === fn.iommuGroup;
  });
}

function mac(wanted: string, fn: PciFunction, scope: Scope): Verdict {
  if (isUnknown(fn.netdevs)) return [doubt(fn, 'netdevs', fn.netdevs.unknown, `one with MAC ${wanted}`)];
  return some(fn.netdevs, (name) => {
    const address = scope.netdevs.get(name)?.mac ?? { unknown: 'the snapshot does not list its netdev' };
    if (!isUnknown(address)) return address?.toLowerCase() === wanted;
    const sentence = `${name} of ${fn.address} has MAC ${wanted}`;
    const contrary = `${name} of ${fn.address} has another MAC than ${wanted}`;
    return [
      { fact: `/netdevs/${name}/mac`, unknown: address.unknown, sentence, contrary, expects: [wanted] },
    ];
  });
}

function holding(what: Holding, fn: PciFunction, scope: Scope): Verdict {
  const held = holds(scope.snapshot, fn.address, what);
  if (held.is !== 'unknown') return held.is === 'held';
  const { fact, unknown } = held;
  const use = what === 'any' ? 'something the host uses' : what;
  return [
    { fact, unknown, sentence: `${fn.address} holds ${use}`, contrary: `${fn.address} does not hold ${use}` },
  ];
}

function doubt(
  fn: PciFunction,
  name: keyof PciFunction,
  unknown: string,
  wanted: string,
  expects?: Doubt['expects'],
): Doubt {
  const fact = `/functions/${fn.address}/${name}`;
  const sentence = `${name} of ${fn.address} is ${wanted}`;
  const contrary = `${name} of ${fn.address} is not ${wanted}`;
  return { fact, unknown, sentence, contrary, ...(expects ? { expects } : {}) };
}

function all<T>(items: readonly T[], judge: (item: T) => Verdict): Verdict {
  const doubts: Doubt[] = [];
  for (const item of items) {
    const verdict = judge(item);
    if (verdict === false) return false;
    if (verdict !== true) doubts.push(...verdict);
  }
  return doubts.length === 0 || doubts;
}

export function some<T>(items: readonly T[], judge: (item: T) => Verdict): Verdict {
  const doubts: Doubt[] = [];
  for (const item of items) {
    const verdict = judge(item);
    if (verdict === true) return true;
    if (verdict !== false) doubts.push(...verdict);
  }
  return doubts.length > 0 && doubts;
}
