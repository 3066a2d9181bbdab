import { type DiskUse, diskUse } from './disks.ts';
import { carriesManagement } from './management.ts';
import { type Address, isUnknown, type Snapshot } from './snapshot.ts';
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
 * Whether the function at `address` holds `kind`, itself or by functions that vanish when it loses its driver: its
 * virtual functions, and those behind it when it is a VMD controller.
 */
export function holds(snapshot: Snapshot, address: Address, kind: HoldingKind): Held {
  const through = (others: readonly Address[], link: string): readonly Held[] =>
    others.map((each) => {
      const held = holdsItself(snapshot, each, kind);
      return held.is === 'held' ? { ...held, chain: [`${each} ${link} ${address}`, ...held.chain] } : held;
    });
  return strongest([
    holdsItself(snapshot, address, kind),
    ...through(virtualFunctions(snapshot, address), 'is a virtual function of'),
    ...through(behindController(snapshot, address), 'is behind the VMD controller'),
  ]);
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

/**
 * An Intel VMD controller hides NVMe disks in a PCI domain of its own, above 0xffff (drivers/pci/controller/vmd.c
 * vmd_find_free_domain), which its driver takes along. Which domain belongs to which controller is not told, so with
 * several each answers for all.
 */
function behindController(snapshot: Snapshot, address: Address): readonly Address[] {
  const pci = topologyOf(snapshot).functions.get(address);
  if (pci === undefined) return [];
  const { driver, vendor } = pci;
  const may = isUnknown(driver) ? vendor === '8086' && pci.class.startsWith('0104') : driver === 'vmd';
  if (!may) return [];
  return snapshot.functions.map((each) => each.address).filter((each) => each.indexOf(':') > 4);
}
