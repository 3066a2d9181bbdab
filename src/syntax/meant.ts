/**
 * What a value that is written in another way most likely means. `safe`: the same value, only written otherwise; what
 * had to be guessed is not.
 */
import {
  addressPattern,
  datePattern,
  identityPattern,
  macPattern,
  versionPattern,
} from '../../grammar/values.ts';
import type { Fix, Place } from '../diagnostics/diagnostic.ts';
import { replacement } from '../diagnostics/fixes.ts';
import { daysOf } from './values.ts';

interface Meant {
  readonly text: string;
  readonly safe: boolean;
}

/** The fix that writes what is meant, where anything can be made of the text. */
export function rewriting(place: Place, meant: Meant | undefined): readonly Fix[] {
  return meant === undefined ? [] : [replacement(place, meant.text, meant.safe)];
}

/** `0:3:0.0`, `0000:03:00:0`; `0000:03:00` lacks its function, for which 0 is a guess. */
export function addressMeant(text: string): Meant | undefined {
  const [, domain, bus, device, fn] =
    /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})(?:\.([0-7]))?$/i.exec(text) ??
    /^([0-9a-f]{1,8}):([0-9a-f]{1,2}):([0-9a-f]{1,2}):([0-7])$/i.exec(text) ??
    [];
  if (bus === undefined || device === undefined) return undefined;
  const address = `${(domain ?? '').padStart(4, '0')}:${bus.padStart(2, '0')}:${device.padStart(2, '0')}.${fn ?? 0}`;
  return passing(address.toLowerCase(), addressPattern, fn !== undefined);
}

/** `0x8086:0x1572`, `8086-1572`. */
export function identityMeant(text: string): Meant | undefined {
  const [, vendor, device] = /^(?:0x)?([0-9a-f]{1,4})[:-](?:0x)?([0-9a-f]{1,4})$/i.exec(text) ?? [];
  if (vendor === undefined || device === undefined) return undefined;
  return passing(
    `${vendor.padStart(4, '0')}:${device.padStart(4, '0')}`.toLowerCase(),
    identityPattern,
    true,
  );
}

/** Twelve digits, however they are joined: `b496.91a1.0233`. */
export function macMeant(text: string): Meant | undefined {
  if (!/^[0-9a-f]+([:.-][0-9a-f]+)*$/i.test(text)) return undefined;
  const digits = text.toLowerCase().replace(/[:.-]/g, '');
  return passing((digits.match(/../g) ?? []).join(':'), macPattern, digits.length === 12);
}

/** `2027/3/1`, `20270301`; a month that has no such day ends with its last. */
export function dateMeant(text: string): Meant | undefined {
  const [, year = '', month = '', day = ''] =
    /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(text) ?? /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? [];
  const days = daysOf(Number(year), Number(month));
  if (days === 0 || Number(year) < 1 || Number(day) < 1 || Number(day) > 31) return undefined;
  const last = String(Math.min(days, Number(day)));
  const date = `${year}-${month.padStart(2, '0')}-${last.padStart(2, '0')}`;
  return passing(date, datePattern, Number(day) <= days);
}

/** `v6.1`, `6.1.0-23-amd64`: what stands around the numbers is not compared. `6` could be any 6. */
export function versionMeant(text: string): Meant | undefined {
  const [, numbers = '', rest = ''] = /^v?(\d+(?:\.\d+){0,2})(.*)$/i.exec(text) ?? [];
  if (rest !== '' && !/^[-+]/.test(rest)) return undefined;
  const whole = numbers.includes('.') ? numbers : `${numbers}.0`;
  return passing(whole, versionPattern, whole === numbers);
}

/** `0x10`. */
export function numberMeant(text: string, min: number, max: number): Meant | undefined {
  const [, digits] = /^0x([0-9a-f]{1,8})$/i.exec(text) ?? [];
  const number = Number.parseInt(digits ?? '', 16);
  return min <= number && number <= max ? { text: String(number), safe: true } : undefined;
}

/** A name in letters from a to z: `große-karte` becomes `grosse-karte`. Never safe: others may have the name. */
export function nameInLetters(text: string, pattern: RegExp): Meant | undefined {
  const letters = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßæøłđðþœ]/gi, (letter) => spelt[letter.toLowerCase()] ?? '')
    .replace(/[^A-Za-z0-9_.*-]+/g, '-')
    .replace(/^[-.]+|-+$/g, '');
  return passing(letters, pattern, false);
}

const spelt: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  œ: 'oe',
};

function passing(text: string, pattern: RegExp, safe: boolean): Meant | undefined {
  return pattern.test(text) ? { text, safe } : undefined;
}
