import { contains, parseAddress, parsePrefix } from '../../src/machine/networks.ts';
import type { Fact, Route } from '../../src/machine/snapshot.ts';
import { isUnknown } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';

/**
 * Routes, addresses and the peers of SSH sessions, from procfs: no netlink, so that a captured tree answers as the
 * machine did. Numbers of IPv4 are in the byte order of the machine, which is little-endian on x86-64 and arm64.
 */

const ROUTE_UP = 0x1;
const ROUTE_REJECT = 0x200;
const ROUTE_LOCAL = 0x80000000;
const ROUTE_ANYCAST = 0x00100000;

/** Unicast routes of the main tables, IPv4 first. */
export function readRoutes(files: MachineFiles): Fact<readonly Route[]> {
  const four = textOf(files, '/proc/net/route');
  if (isMissing(four)) return reason(four);
  const six = textOf(files, '/proc/net/ipv6_route');
  // Without IPv6 the kernel has neither of the two files; one without the other is a capture that lost it.
  if (isMissing(six) && (!six.absent || !isMissing(textOf(files, '/proc/net/if_inet6')))) return reason(six);
  return [...routesOfFour(four), ...(isMissing(six) ? [] : routesOfSix(six))];
}

/** net/ipv4/fib_trie.c fib_route_seq_show: Iface Destination Gateway Flags RefCnt Use Metric Mask … */
function routesOfFour(text: string): readonly Route[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [netdev = '', destination = '', gateway = '', flags = '', , , , mask = ''] = line
        .trim()
        .split(/\s+/);
      const bits = Number.parseInt(flags, 16);
      if (netdev === '' || !(bits & ROUTE_UP) || bits & ROUTE_REJECT) return [];
      const length = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
      return [
        {
          destination: length === 0 ? 'default' : `${fourOf(destination)}/${length}`,
          netdev,
          gateway: /^0+$/.test(gateway) ? null : fourOf(gateway),
        },
      ];
    });
}

/** net/ipv6/route.c rt6_info_route: destination length source length gateway metric refcount use flags device. */
function routesOfSix(text: string): readonly Route[] {
  return text.split('\n').flatMap((line) => {
    const [destination = '', length = '', , , gateway = '', , , , flags = '', netdev = ''] = line
      .trim()
      .split(/\s+/);
    const bits = Number.parseInt(flags, 16);
    const local = (bits & (ROUTE_REJECT | ROUTE_ANYCAST)) !== 0 || bits >= ROUTE_LOCAL;
    if (netdev === '' || netdev === 'lo' || local || !(bits & ROUTE_UP) || destination.startsWith('ff'))
      return [];
    return [
      {
        destination: length === '00' ? 'default' : `${sixOf(destination)}/${Number.parseInt(length, 16)}`,
        netdev,
        gateway: /^0+$/.test(gateway) ? null : sixOf(gateway),
      },
    ];
  });
}

/**
 * Addresses by network device. IPv6 has a list with devices; of IPv4 procfs tells the addresses and, apart from them,
 * the networks of each device, so an address belongs to the device whose directly connected network holds it.
 */
export function readAddresses(
  files: MachineFiles,
  routes: Fact<readonly Route[]>,
): ((netdev: string) => readonly string[]) | { readonly unknown: string } {
  const trie = textOf(files, '/proc/net/fib_trie');
  if (isMissing(trie)) return reason(trie);
  if (isUnknown(routes)) return routes;
  const six = textOf(files, '/proc/net/if_inet6');
  const found = new Map<string, string[]>();
  const add = (netdev: string, address: string) => {
    const list = found.get(netdev) ?? [];
    if (!list.includes(address)) found.set(netdev, [...list, address]);
  };
  const local = [...trie.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address);
  for (const address of new Set(local)) {
    const bytes = parseAddress(address);
    for (const { destination, netdev, gateway } of routes) {
      const prefix = gateway === null ? parsePrefix(destination) : null;
      if (bytes !== null && prefix !== null && contains(prefix, bytes))
        add(netdev, `${address}/${prefix.length}`);
    }
  }
  for (const line of isMissing(six) ? [] : six.split('\n')) {
    const [address = '', , length = '', , , netdev = ''] = line.trim().split(/\s+/);
    if (netdev !== '') add(netdev, `${sixOf(address)}/${Number.parseInt(length, 16)}`);
  }
  return (netdev) => found.get(netdev) ?? [];
}

const ESTABLISHED = '01';

/**
 * The far ends of SSH sessions: established connections to a port of sshd, and the session that this program runs in
 * (`sshConnection`, the value of SSH_CONNECTION), which may have come in by another port.
 */
export function readPeers(files: MachineFiles, sshConnection: string | undefined): Fact<readonly string[]> {
  const [own, , , ownPort] = sshConnection?.split(' ') ?? [];
  const ports = new Set([...sshPorts(files), ...(ownPort === undefined ? [] : [Number(ownPort)])]);
  const peers = new Set(own === undefined || own === '' ? [] : [own]);
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => textOf(files, path));
  const [four] = tables;
  if (four !== undefined && isMissing(four)) return reason(four);
  for (const line of tables.flatMap((text) => (isMissing(text) ? [] : text.split('\n').slice(1)))) {
    const [, local = '', remote = '', state] = line.trim().split(/\s+/);
    const [, port = ''] = local.split(':');
    const [address = ''] = remote.split(':');
    if (state === ESTABLISHED && ports.has(Number.parseInt(port, 16)))
      peers.add(address.length === 8 ? fourOf(address) : sixOf(swapped(address)));
  }
  return [...peers].sort();
}

function sshPorts(files: MachineFiles): readonly number[] {
  const more = files.list('/etc/ssh/sshd_config.d');
  const paths = [
    '/etc/ssh/sshd_config',
    ...(isMissing(more) ? [] : more.map((name) => `/etc/ssh/sshd_config.d/${name}`)),
  ];
  const texts = paths.map((path) => textOf(files, path)).filter((text) => typeof text === 'string');
  const written = texts.flatMap((text) => [
    ...text.matchAll(/^\s*(?:Port\s+|ListenAddress\s+\S+:)(\d{1,5})\s*$/gim),
  ]);
  return [22, ...written.map(([, port]) => Number(port))];
}

/** Eight hex digits of a little-endian word. */
function fourOf(digits: string): string {
  const bytes = digits.match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

/** 32 hex digits in network order. */
function sixOf(digits: string): string {
  const groups = (digits.toLowerCase().match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, ''));
  const text = groups.join(':');
  const zeros = text.match(/(?:^|:)0(?::0)+(?=:|$)/g)?.sort((a, b) => b.length - a.length)[0];
  return zeros === undefined ? text : text.replace(zeros, '::').replace(':::', '::');
}

/** The socket tables print IPv6 addresses as four words of the machine (net/ipv6/tcp_ipv6.c get_tcp6_sock). */
function swapped(digits: string): string {
  return (digits.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).reverse().join('')).join('');
}
