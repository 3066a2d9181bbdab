import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sysrootFiles } from '../../../runtime/probe/files.ts';
import { readIommu } from '../../../runtime/probe/iommu.ts';

test('that DMA is coherent with the caches is a question on machines that are no x86, and told by the device tree', () => {
  const root = mkdtempSync(join(tmpdir(), 'vfioplan-iommu-'));
  const unit = (name: string, ...files: readonly string[]) => {
    const node = join(root, 'sys/class/iommu', name, 'device/of_node');
    mkdirSync(node, { recursive: true });
    for (const file of files) writeFileSync(join(node, file), '');
  };
  const coherent = (architecture: string) => readIommu(sysrootFiles(root), architecture).coherent;
  try {
    mkdirSync(join(root, 'sys/class/iommu'), { recursive: true });
    expect(coherent('aarch64')).toBeUndefined();
    unit('smmu3.0', 'compatible', 'dma-coherent');
    expect([coherent('x86_64'), coherent('aarch64')]).toEqual([undefined, true]);
    unit('smmu3.1', 'compatible');
    expect(coherent('aarch64')).toEqual({ unknown: expect.stringContaining('dma-coherent') });
  } finally {
    rmSync(root, { recursive: true });
  }
});
