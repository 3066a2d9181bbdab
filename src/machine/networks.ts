/** IP addresses and prefixes, as far as a route lookup needs them. */

/** An address in network order: 4 or 16 bytes. */
export type IpAddress = readonly number[];

export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** Null for anything that is not an IPv4 or IPv6 address; a zone (`%eth0`) is dropped, an IPv4-mapped one is IPv4. */
export function parseAddress(text: string): IpAddress | null {
  const plain = text.replace(/%.*$/, '');
  const address = plain.includes(':') ? parseSix(plain) : parseFour(plain);
  if (address === null || address.length === 4) return address;
  const mapped =
    address.slice(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;
  return mapped ? address.slice(12) : address;
}

/** `10.0.0.0/8`, `fe80::/64`, or an address alone; null for anything else. */
export function parsePrefix(text: string): Prefix | null {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === null || rest.length > 0) return null;
  if (bits === undefined) return { address, length: address.length * 8 };
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  return length >= 0 && length <= address.length * 8 ? { address, length } : null;
}

export function contains({ address, length }: Prefix, other: IpAddress): boolean {
  if (address.length !== other.length) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const shift = Math.max(0, 8 - (length - bit));
    if ((address[bit / 8] ?? 0) >> shift !== (other[bit / 8] ?? 0) >> shift) return false;
  }
  return true;
}

function parseFour(text: string): IpAddress | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.map(Number);
}

function parseSix(text: string): IpAddress | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [before, after] = halves.map(groupsOf);
  if (before === undefined || before === null || after === null) return null;
  const missing = 16 - before.length - (after?.length ?? 0);
  if (after === undefined ? missing !== 0 : missing < 2) return null;
  return [...before, ...Array<number>(missing).fill(0), ...(after ?? [])];
}

/** The bytes of `fe80:1:2` or `ffff:10.0.0.1`. */
function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const four = index === groups.length - 1 ? parseFour(group) : null;
      if (four === null) return null;
      bytes.push(...four);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}
