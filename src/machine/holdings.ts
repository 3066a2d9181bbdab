import { type DiskUse, diskUse } from './disks.ts';
import { carriesManagement } from './management.ts';
import type { Address, Snapshot } from './snapshot.ts';
import { topologyOf } from './topology.ts';

/**
 * What a function holds for the host: disks that are in use, and the way by which people reach the machine. Taking
 * such a function away stops the host, so each answer carries its proof, and what cannot be told is not taken for free.
 */
export type HoldingKind = DiskUse | 'any' | 'management';

export type Held =
  /** It holds this; `chain` says why, one clause a link, the function first: "eno1 is a network device of …". */
  | { readonly is: 'held'; readonly chain: readonly string[] }
  | { readonly is: 'free' }
  /** The snapshot does not tell: `fact` is the path of what is missing, `/routes`, and `unknown` the reason. */
  | { readonly is: 'unknown'; readonly fact: string; readonly unknown: string };

/** Every use of a disk that `holding any` means. */
const diskUses = ['mounted', 'swap', 'stacked', 'signed'] as const;

/**
 * Whether the function at `address` holds `kind`, itself or by its virtual functions, which vanish when their physical
 * function loses its driver.
 */
export function holds(snapshot: Snapshot, address: Address, kind: HoldingKind): Held {
  return strongest(
    [address, ...virtualFunctions(snapshot, address)].map((each) => {
      const held = holdsItself(snapshot, each, kind);
      return each === address || held.is !== 'held'
        ? held
        : { ...held, chain: [`${each} is a virtual function of ${address}`, ...held.chain] };
    }),
  );
}

function holdsItself(snapshot: Snapshot, address: Address, kind: HoldingKind): Held {
  if (kind === 'management') return carriesManagement(snapshot, address);
  if (kind === 'any') return strongest(diskUses.map((use) => diskUse(snapshot, address, use)));
  return diskUse(snapshot, address, kind);
}

/** A proof beats doubt, and doubt beats freedom. */
function strongest(answers: readonly Held[]): Held {
  return (
    answers.find(({ is }) => is === 'held') ?? answers.find(({ is }) => is === 'unknown') ?? { is: 'free' }
  );
}

function virtualFunctions(snapshot: Snapshot, address: Address): readonly Address[] {
  return (topologyOf(snapshot).virtualFunctions.get(address) ?? []).map((pci) => pci.address);
}
