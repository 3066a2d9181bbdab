import { type Fact, isUnknown, known, type PciFunction, type Snapshot } from '../machine/snapshot.ts';
import type { Selector } from '../syntax/ast.ts';
import { className } from './classes.ts';

/** One function as a person knows it: address, id, class, driver, and its name where the snapshot has one. */
export function describeFunction(fn: PciFunction): string {
  const driver = isUnknown(fn.driver)
    ? 'driver unknown'
    : fn.driver === null
      ? 'no driver'
      : `driver ${fn.driver}`;
  const label = fn.label ? ` "${fn.label}"` : '';
  return `${fn.address} is ${fn.vendor}:${fn.device}${label}, ${className(fn.class)}, ${driver}`;
}

/** Bytes in the largest unit that divides them: `4 GiB`. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [amount, unit] = [bytes, 0];
  for (; unit + 1 < units.length && amount > 0 && amount % 1024 === 0; unit += 1) amount /= 1024;
  return `${amount} ${units[unit]}`;
}

/** Seconds in the largest unit that divides them: `2 min`. */
export function timeText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** A selector as it is written. */
export function describeSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'hole':
      return '…';
    case 'holding':
      return `holding ${selector.what.join(', ')}`;
    case 'device':
      return selector.name.text;
    case 'virtual':
      return `virtual functions ${rangeText(selector.range)}of ${selector.name.text}`;
    case 'in-group':
      return `in group with ${selector.name.text}`;
    case 'and':
    case 'or':
      return selector.operands.map(describeSelector).join(` ${selector.kind} `);
    case 'not':
      return `not ${describeSelector(selector.operand)}`;
    default:
      return `${selector.kind} ${selector.value.text}`;
  }
}

function rangeText(range: { readonly min: number; readonly max: number } | undefined): string {
  if (range === undefined) return '';
  return range.min === range.max ? `${range.min} ` : `${range.min}..${range.max} `;
}

/**
 * What tells functions apart: for each, the attributes that are not the same for all of them, the most lasting first.
 * Every function has an address of its own, so none is left without.
 */
export function tellApart(functions: readonly PciFunction[], snapshot: Snapshot): string[] {
  const attributes: [string, (fn: PciFunction) => unknown][] = [
    ['id', (fn) => `${fn.vendor}:${fn.device}`],
    ['class', (fn) => className(fn.class)],
    ['serial', (fn) => fn.serial],
    ['mac', (fn) => macOf(fn, snapshot)],
    ['slot', (fn) => (isUnknown(fn.slot) ? fn.slot : fn.slot.join('/'))],
    ['label', (fn) => fn.firmwareLabel ?? null],
    ['numa', (fn) => fn.numaNode],
    ['IOMMU group', (fn) => fn.iommuGroup],
    ['driver', (fn) => fn.driver],
    ['netdev', (fn) => (isUnknown(fn.netdevs) ? fn.netdevs : fn.netdevs.join(' ') || null)],
    ['block', (fn) => (isUnknown(fn.blockDevices) ? fn.blockDevices : fn.blockDevices.join(' ') || null)],
  ];
  const telling = attributes.filter(([, read]) => new Set(functions.map((fn) => textOf(read(fn)))).size > 1);
  return functions.map((fn) => {
    const differs = telling.map(([name, read]) => `${name} ${textOf(read(fn))}`);
    return `at ${fn.address}${differs.length > 0 ? `: ${differs.join(', ')}` : ''}`;
  });
}

/** What a selector of this kind would have to say to match a function; nothing where that is not known. */
export function valuesOf(
  kind: Extract<Selector, { readonly value: unknown }>['kind'],
  fn: PciFunction,
  snapshot: Snapshot,
): readonly string[] {
  const told = (fact: Fact<string | number | null> | undefined): string[] =>
    fact === undefined || fact === null || isUnknown(fact) ? [] : [String(fact)];
  switch (kind) {
    case 'at':
      return [fn.address];
    case 'id':
      return [`${fn.vendor}:${fn.device}`];
    case 'subsystem': {
      const [[vendor], [device]] = [told(fn.subsystemVendor), told(fn.subsystemDevice)];
      return vendor === undefined || device === undefined ? [] : [`${vendor}:${device}`];
    }
    case 'class':
      return [className(fn.class)];
    case 'driver':
      return fn.driver === null ? ['none'] : told(fn.driver);
    case 'netdev':
      return known(fn.netdevs, []);
    case 'block':
      return known(fn.blockDevices, []);
    case 'slot':
      return isUnknown(fn.slot) ? [] : [fn.slot.join('/')];
    case 'label':
      return told(fn.firmwareLabel);
    case 'serial':
      return told(fn.serial);
    case 'numa':
      return told(fn.numaNode);
    case 'mac': {
      const own = new Set<string>(known(fn.netdevs, []));
      const netdevs = known(snapshot.netdevs, []).filter(({ name }) => own.has(name));
      return netdevs.flatMap(({ mac }) => told(mac));
    }
  }
}

function textOf(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'object' ? 'unknown' : String(value);
}

function macOf(fn: PciFunction, snapshot: Snapshot): unknown {
  if (isUnknown(fn.netdevs) || isUnknown(snapshot.netdevs)) return { unknown: '' };
  const own = new Set(fn.netdevs);
  const macs = snapshot.netdevs.filter(({ name }) => own.has(name)).map(({ mac }) => textOf(mac));
  return macs.length > 0 ? macs.join(' ') : null;
}
