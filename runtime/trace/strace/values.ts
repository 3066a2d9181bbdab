import { requests } from '../../abi/ioctl.ts';
import { kvmRequests } from '../../abi/kvm.ts';
import { pathIn } from './lines.ts';

/** Arguments as strace writes them, with `-X verbose`, `-X raw` or neither. */

/** `3`, `3</dev/vfio/vfio>`, `-1`. */
export function descriptorIn(arg = ''): { readonly fd: number; readonly path?: string } | null {
  const [number] = /^-?\d{1,10}/.exec(arg) ?? [];
  if (number === undefined) return null;
  const rest = arg.slice(number.length);
  return { fd: Number(number), ...(rest.startsWith('<') ? { path: pathIn(rest) } : {}) };
}

/** `0x3`, `3`, `-1`, `NULL`, `0x80002 /* O_RDWR|O_CLOEXEC *\/`; null where it is told by names alone, or not at all. */
export function numberIn(arg = ''): bigint | null {
  if (/^NULL\b/.test(arg)) return 0n;
  const [number] = /^(?:0x[0-9a-f]{1,16}|-?\d{1,20})/.exec(arg) ?? [];
  return number === undefined ? null : BigInt(number);
}

/** The text of `"…"`; null where it is cut (`"abc"...`), is no text, or holds bytes that are none. */
export function textIn(arg = ''): string | null {
  const bytes = bytesIn(arg);
  if (bytes === null || bytes.some((byte) => byte === 0 || byte > 0x7f)) return null;
  return bytes.map((byte) => String.fromCharCode(byte)).join('');
}

/** The bytes of `"…"`; null where they are cut. */
export function bytesIn(arg = ''): readonly number[] | null {
  if (!/^"(?:[^"\\]|\\.)*"$/.test(arg)) return null;
  const pieces = arg.slice(1, -1).matchAll(/\\(x[0-9a-f]{2}|[0-7]{1,3}|.)|[^\\]/g);
  return [...pieces].map(
    ([char, escaped]) => (escaped === undefined ? char.charCodeAt(0) : codeOf(escaped)) & 0xff,
  );
}

function codeOf(escaped: string): number {
  if (/^[0-7]/.test(escaped)) return Number.parseInt(escaped, 8);
  if (escaped.startsWith('x') && escaped.length > 1) return Number.parseInt(escaped.slice(1), 16);
  return escapes[escaped] ?? escaped.charCodeAt(0);
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** An ioctl's request: by name (or by both names where a number has two), by number, or as `_IOC(…)`. */
export function requestIn(arg = ''): number | null {
  const number = numberIn(arg);
  if (number !== null) return number >= 0n && number <= 0xffffffffn ? Number(number) : null;
  const fields = /^_IOC\(\w+, *0x([0-9a-f]{1,2}), *0x([0-9a-f]{1,2}), *0\)/.exec(arg);
  if (fields !== null) return Number.parseInt(`${fields[1]}${fields[2]?.padStart(2, '0')}`, 16);
  for (const name of arg.split(/[^A-Z0-9_]+/)) if (Object.hasOwn(byName, name)) return byName[name] ?? null;
  return null;
}

const byName: Readonly<Record<string, number>> = { ...requests, ...kvmRequests };
