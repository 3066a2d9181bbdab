import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sysrootFiles } from '../../../runtime/probe/files.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import { captureServer } from './tree.ts';

describe('devices that VFIO has', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vfioplan-sysroot-'));
    captureServer(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const parent = 'devices/pci0000:00/0000:00:02.0/vfio-dev';
  const link = (name: string, target: string) => {
    mkdirSync(join(root, 'sys', 'class', 'vfio-dev'), { recursive: true });
    symlinkSync(`../../${target}/${name}`, join(root, 'sys', 'class', 'vfio-dev', name));
  };

  test('are told by number, a mediated one without its function', () => {
    link('vfio10', parent);
    link('vfio2', 'devices/virtual/mtty/mtty/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/vfio-dev');
    link('noiommu-vfio0', 'devices/pci0000:00/0000:00:03.0/vfio-dev');
    expect(probe(sysrootFiles(root)).snapshot?.vfioDevices).toEqual([
      { index: 0, function: '0000:00:03.0' },
      { index: 2, function: null },
      { index: 10, function: '0000:00:02.0' },
    ]);
  });

  test('are unknown when a name there is none of theirs', () => {
    link('vfioX', parent);
    expect(probe(sysrootFiles(root)).snapshot?.vfioDevices).toEqual({
      unknown: '/sys/class/vfio-dev holds vfioX',
    });
  });
});
