import { report } from '../../diagnostics/report.ts';
import { type HoldingKind, holds } from '../../machine/holdings.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { leavesDriver, listed, type Subject, type Wanted } from '../subject.ts';

/**
 * What the host runs on is protected without being asked: a bind that takes a function away from the driver that
 * serves the root or boot file system, swap, any mounted, stacked or signed disk, or the way in to the machine is
 * refused, whether the statement names the function or its group brings it. No word of the language lifts this. A
 * function without a driver serves nothing; what is not known is never taken for free, so it becomes a precondition.
 */
export function* holdings(subject: Subject): Iterable<Finding> {
  for (const wanted of subject.wanted.values()) {
    if (leavesDriver(wanted) === false) continue;
    const held = critical(subject, wanted);
    if (held.length > 0) yield refusal(subject, wanted, held);
    else yield* doubts(subject, wanted);
  }
}

/** What the host stops without, most serious first; the word that messages use for it. */
const kinds: readonly (readonly [HoldingKind, string])[] = [
  ['root', 'the root file system'],
  ['boot', 'the boot file system'],
  ['swap', 'swap'],
  ['management', 'the management path'],
  ['mounted', 'mounted'],
  ['stacked', 'part of a dm, md or LVM device'],
  ['signed', 'signed: something is stored on it'],
];

type Proof = { readonly kind: HoldingKind; readonly words: string; readonly chain: readonly string[] };

function critical({ snapshot }: Subject, { fn }: Wanted): Proof[] {
  const proofs: Proof[] = [];
  for (const [kind, words] of kinds) {
    const held = holds(snapshot, fn.address, kind);
    if (held.is === 'held') proofs.push({ kind, words, chain: held.chain });
  }
  return proofs;
}

function refusal(subject: Subject, { fn, bind }: Wanted, proofs: readonly Proof[]): Finding {
  const { policy } = subject;
  const { address } = fn;
  const { device } = bind;
  const host = proofs.filter(({ kind }) => kind === 'root' || kind === 'boot' || kind === 'swap');
  const [first] = proofs;
  const serious = host.length > 0 ? host : first ? [first] : [];
  const what = listed(serious.map(({ words }) => words));
  const management = serious[0]?.kind === 'management';
  const extra = {
    causes: [...new Set(serious.flatMap(({ chain }) => chain))],
    related: policy.protects
      .filter(({ holding }) =>
        serious.some(({ kind }) => holding.some((h) => h === kind || (h === 'any' && kind !== 'management'))),
      )
      .map(({ place, policy: by }) => ({ place, message: `policy ${by} protects it, too` })),
    cures: [
      management
        ? 'reach the machine another way first: move its addresses and routes to a netdev that stays'
        : 'choose another device, or first move what is stored on it and take a new snapshot',
    ],
    fixes: [leaving(subject, bind)],
  };
  const own = policy.devices.get(device)?.functions.includes(address) ?? false;
  if (!own) {
    const words = management || host.length > 0 ? what : `a disk that is ${what}`;
    return found(report('VP3103', bind.place, { device, address, what: words }, extra), [address]);
  }
  if (management) return found(report('VP3104', bind.place, { device, address }, extra), [address]);
  const code = host.length > 0 ? 'VP3101' : 'VP3102';
  return found(report(code, bind.place, { device, address, what }, extra), [address]);
}

function* doubts({ snapshot }: Subject, { fn, bind }: Wanted): Iterable<Finding> {
  const asked = new Set<string>();
  for (const [kind] of kinds) {
    const held = holds(snapshot, fn.address, kind);
    if (held.is !== 'unknown' || asked.has(held.fact)) continue;
    asked.add(held.fact);
    const sentence =
      kind === 'management'
        ? `${fn.address} does not carry the management path`
        : `no disk of ${fn.address} is in use or has anything stored on it`;
    yield needed({ fact: held.fact, sentence, unknown: held.unknown, place: bind.place });
  }
}
