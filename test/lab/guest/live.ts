import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { machine } from '../../machines.ts';
export function liveSnapshot(): Snapshot {
  const link = (p: string) => {
    try {
      return readlinkSync(p).split('/').pop() ?? null;
    } catch {
      return null;
    }
  };
  const text = (p: string) => readFileSync(p, 'utf8').trim();
  const base = '/sys/bus/pci/devices';
  const intel = readdirSync('/sys/class/iommu').length > 0;
  return machine({
    iommu: intel ? 'intel' : 'none',
    kernel: '6.12.117',
    options: { IOMMUFD: 'y' },
    functions: readdirSync(base)
      .sort()
      .map((at) => {
        const g = link(`${base}/${at}/iommu_group`);
        return {
          at,
          id: `${text(`${base}/${at}/vendor`).slice(2)}:${text(`${base}/${at}/device`).slice(2)}`,
          class: text(`${base}/${at}/class`).slice(2),
          group: g === null ? null : Number(g),
          driver: link(`${base}/${at}/driver`),
          headerType: (readFileSync(`${base}/${at}/config`)[14] ?? 0) & 127,
        };
      }),
    replace: { modules: {}, drivers: readdirSync('/sys/bus/pci/drivers'), nodes: [] },
  });
}
