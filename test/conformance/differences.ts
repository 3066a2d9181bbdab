/** What must differ between model and kernel, each with its reason. An entry that no run needs any more fails the suite. */
import { vfio } from '../../runtime/abi/vfio.ts';
import type { Op } from '../../src/model/op.ts';

export interface Declared {
  readonly what: string;
  readonly why: string;
}

export const declared = {
  'region-caps': {
    what: 'REGION_INFO of the BAR with the MSI-X table: flag CAPS and cap_offset',
    why: 'a snapshot does not tell in which BAR the table lies, so the model leaves the capability out',
  },
} as const satisfies Record<string, Declared>;

/** How often each entry was needed. */
export const needed = new Map<keyof typeof declared, number>();

function need(name: keyof typeof declared): void {
  needed.set(name, (needed.get(name) ?? 0) + 1);
}

/** A field as far as the model tells it. */
export function seenField(
  op: Op,
  field: string,
  value: number | bigint | string | undefined,
): number | bigint | string | undefined {
  if (op.op !== 'device.region_info') return value;
  if (field === 'flags' && typeof value === 'number' && (value & vfio.VFIO_REGION_INFO_FLAG_CAPS) !== 0) {
    need('region-caps');
    return value & ~vfio.VFIO_REGION_INFO_FLAG_CAPS;
  }
  return value;
}
