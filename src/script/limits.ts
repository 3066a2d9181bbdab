import type { Place } from '../diagnostics/diagnostic.ts';
import { dropInPath, ownPaths, unitName, unitOf } from '../machine/configuration.ts';
import type { World } from '../model/state.ts';
import { sizeText } from '../policy/describe.ts';
import { applies, isPattern } from '../policy/pattern.ts';
import type { HostPolicy, Limit, WhoMay } from '../policy/policy.ts';
import { wayOf } from './ways.ts';
import { type Beyond, obstacleTo, type WantedFile, type Wishes } from './wishes.ts';

/** The limit that holds for one principal who maps memory. */
interface Limited {
  readonly who: Pick<WhoMay, 'kind' | 'name'>;
  readonly limit: Limit;
}

/**
 * `limit … locked memory` as the files of those who set it: pam_limits for users and groups when they log in, systemd for
 * services. What starts a virtual machine or a container sets its limits; no file says so for all that could.
 */
export function limitWishes(policy: HostPolicy, world: World): Wishes {
  const wanted: WantedFile[] = [];
  const beyond: Beyond[] = [];
  const logins: Limited[] = [];
  for (const each of limitedOf(policy, world)) {
    const reason = unwritable(policy, each);
    if (reason !== null) beyond.push({ ...tell(each), ...reason });
    else if (each.who.kind === 'service') wanted.push(dropIn(each));
    else logins.push(each);
  }
  return { files: logins.length === 0 ? wanted : [loginFile(logins), ...wanted], beyond };
}

/** The limit of a principal who is allowed a device, if a statement names it: one that names it alone before patterns. */
export function limitOf(policy: HostPolicy, who: Pick<WhoMay, 'kind' | 'name'>): Limit | undefined {
  const covering = policy.limits.filter(
    (each) => each.who.kind === who.kind && applies(each.who.name, who.name),
  );
  return covering.find((each) => !isPattern(each.who.name)) ?? covering[0];
}

/** Who gives principals their limits by files of ours, by `KIND NAME`; of others nobody does. */
export function limitGivers(policy: HostPolicy, world: World): ReadonlyMap<string, 'login' | 'unit'> {
  const givers = new Map<string, 'login' | 'unit'>();
  for (const each of limitedOf(policy, world)) {
    const { kind, name } = each.who;
    if (unwritable(policy, each) === null)
      givers.set(`${kind} ${name}`, kind === 'service' ? 'unit' : 'login');
  }
  return givers;
}

/** Without an IOMMU nothing is mapped, and nothing locked. */
function limitedOf(policy: HostPolicy, world: World): readonly Limited[] {
  const found = new Map<string, Limited>();
  for (const allow of policy.limits.length === 0 ? [] : policy.allows) {
    const { kind, name } = allow.who;
    const key = `${kind} ${name}`;
    if (kind === 'anyone' || isPattern(name) || found.has(key)) continue;
    const limit = limitOf(policy, allow.who);
    const maps = allow.functions.some((address) => wayOf(world, allow, address) !== 'noiommu');
    if (limit !== undefined && maps) found.set(key, { who: { kind, name }, limit });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** Names as limits.conf(5) reads them for what they are, and for nothing else. */
const loginName = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?$/;

function unwritable(
  { snapshot }: HostPolicy,
  { who: { kind, name } }: Limited,
): Pick<Beyond, 'cause' | 'cure'> | null {
  if (kind === 'vm')
    return {
      cause: 'what starts a virtual machine sets its limits',
      cure: 'give the libvirt domain a `hard_limit` (`memtune`)',
    };
  if (kind === 'container')
    return { cause: 'what starts a container sets its limits', cure: 'start it with `--ulimit memlock=…`' };
  const service = kind === 'service';
  const safe = service ? unitName.test(name) : loginName.test(name);
  const path = service ? dropInPath(unitOf(name)) : ownPaths.limits;
  const cause = safe ? obstacleTo(snapshot, path) : `\`${name}\` is no name that can stand in such a file`;
  if (cause === null) return null;
  return {
    cause,
    cure: 'set the limit where the program is started: `LimitMEMLOCK=` of a unit, `prlimit --memlock`',
  };
}

function tell({ who, limit }: Limited): Pick<Beyond, 'what' | 'sentence' | 'place'> {
  return { what: 'limit', sentence: says({ who, limit }), place: limit.place };
}

function says({ who, limit }: Limited): string {
  return `${who.kind} ${who.name} may lock ${sizeText(limit.bytes)} of memory`;
}

/** A policy's sizes are whole KiB, which is what limits.conf counts in. */
function loginFile(limited: readonly Limited[]): WantedFile {
  const lines = limited.map(({ who: { kind, name }, limit }) => {
    return `${kind === 'group' ? '@' : ''}${name} - memlock ${limit.bytes / 1024}`;
  });
  return {
    path: ownPaths.limits,
    lines,
    effect: `${some(limited.map(says))}, from the next login on`,
    why: placesOf(limited),
  };
}

function dropIn(limited: Limited): WantedFile {
  const unit = unitOf(limited.who.name);
  return {
    path: dropInPath(unit),
    lines: ['[Service]', `LimitMEMLOCK=${limited.limit.bytes}`],
    effect: `${says(limited)}, from its next start after \`systemctl daemon-reload\` on`,
    why: [limited.limit.place],
  };
}

function some(sentences: readonly string[]): string {
  const shown = sentences.length > 4 ? [...sentences.slice(0, 3), `${sentences.length - 3} more`] : sentences;
  return shown.join(', ');
}

function placesOf(limited: readonly Limited[]): readonly Place[] {
  return [...new Set(limited.map(({ limit }) => limit.place))];
}
