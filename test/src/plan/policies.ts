import type { CheckedPolicy } from '../../../src/check/checked.ts';
import type { Place } from '../../../src/diagnostics/diagnostic.ts';
import { isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';
import { makePlan } from '../../../src/plan/make.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Allow, HostPolicy } from '../../../src/policy/policy.ts';
import { deriveScript } from '../../../src/script/derive.ts';

/**
 * Policies as the resolver would make them, without text: what a plan is made of can be said in a line. Each statement
 * is a line of its own in a source that `sources` gives back.
 */
export interface PolicyWords {
  readonly snapshot: Snapshot;
  /** `{ '03:00.0': 'vfio-pci' }`; `none`, `default`. */
  readonly bind?: Readonly<Record<string, string>>;
  /** `[who, address, via]`, who as `user dpdk`. */
  readonly allow?: readonly (readonly [string, string, Allow['via']])[];
  readonly noiommu?: 'allowed' | 'expired' | 'forbidden';
}

const file = 'policy.vfio';

export function hostPolicy({ snapshot, bind = {}, allow = [], noiommu = 'forbidden' }: PolicyWords) {
  const lines: string[] = [];
  let length = 0;
  const said = (line: string): Place => {
    lines.push(line);
    const start = length;
    length += line.length + 1;
    return { file, span: { start, end: start + line.length } };
  };
  const permission = said(`noiommu ${noiommu}`);
  const binds = Object.entries(bind).map(([address, to]) => ({
    policy: 'test',
    device: `d${full(address)}`,
    functions: [full(address)],
    wholeGroup: false,
    to,
    driver: driverFor(snapshot, to),
    place: said(`bind ${address} to ${to}`),
  }));
  const allows = allow.map(([who, address, via]): Allow => {
    const [kind = '', name = ''] = who.split(' ');
    return {
      policy: 'test',
      who: { kind: kind as Allow['who']['kind'], name, capabilities: [] },
      device: `d${full(address)}`,
      functions: [full(address)],
      via,
      place: said(`allow ${who} to use ${address} via ${via}`),
    };
  });
  const policy: HostPolicy = {
    host: 'testbox',
    snapshot,
    labels: new Map(),
    iommu: { state: 'any' },
    noiommu: {
      allowed: noiommu !== 'forbidden',
      expired: noiommu === 'expired',
      ...(noiommu === 'forbidden' ? {} : { until: '2027-03-01' }),
      place: permission,
    },
    devices: new Map(),
    binds,
    allows,
    forbids: [],
    protects: [],
    requires: [],
    creates: [],
    arriving: [],
    limits: [],
    persists: [],
    confirms: [],
  };
  return { policy, sources: [{ file, text: `${lines.join('\n')}\n` }] };
}

/** The policy's operations without the process that makes them, each on a line. */
export function opsOf(words: PolicyWords): readonly string[] {
  return deriveScript(hostPolicy(words).policy).steps.map(({ op }) => {
    const { op: kind, pid: _, ...rest } = op;
    return [kind, ...Object.values(rest)].join(' ');
  });
}

/** The plan of a policy that is taken to be sound, as the checker alone may say otherwise. */
export function planOf(words: PolicyWords): Plan {
  const { policy, sources } = hostPolicy(words);
  return makePlan(soundly(policy), { sources, today: '2026-11-22' });
}

export function soundly(policy: HostPolicy): CheckedPolicy {
  return { policy, script: deriveScript(policy) } as unknown as CheckedPolicy;
}

function driverFor(snapshot: Snapshot, to: string): (address: string) => string | null {
  return (address) => {
    if (to === 'none') return null;
    if (to !== 'default') return to;
    const drivers = snapshot.functions.find((each) => each.address === address)?.drivers;
    return drivers === undefined || isUnknown(drivers) ? null : (drivers[0] ?? null);
  };
}

function full(address: string): string {
  return address.length > 7 ? address : `0000:${address}`;
}
