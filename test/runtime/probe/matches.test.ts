import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sysrootFiles } from '../../../runtime/probe/files.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import { addresses, captureServer } from './tree.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vfioplan-matches-'));
  captureServer(root);
});

afterEach(() => rmSync(root, { recursive: true }));

function captured(): Snapshot {
  const { snapshot } = probe(sysrootFiles(root), {});
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

function functionOf(snapshot: Snapshot, address: string): PciFunction | undefined {
  return snapshot.functions.find((its) => its.address === address);
}

test('a matching module that is not loaded leaves the drivers unknown', () => {
  expect(functionOf(captured(), addresses.nvme)?.drivers).toEqual({
    unknown: "module nvme matches, and is not loaded to tell its driver's name",
  });
});

test('that no module matches is nothing known, where a driver is built in that does not tell what it matches', () => {
  expect(functionOf(captured(), addresses.display)?.drivers).toEqual({
    unknown: 'drivers that are built in do not tell what they match: nvme, simple-gpu',
  });
});

test('where what is built in tells what it matches, a function without a match has none', () => {
  const told = 'simple_gpu.alias=pci:v0000ABCDd*sv*sd*bc*sc*i*\0';
  writeFileSync(join(root, 'lib/modules/6.12.9-amd64/modules.builtin.modinfo'), told);
  expect(functionOf(captured(), addresses.display)?.drivers).toEqual([]);
});

test('the built-in driver that has a function without an override matches it', () => {
  symlinkSync(
    '../../../bus/pci/drivers/simple-gpu',
    join(root, 'sys/devices/pci0000:00/0000:00:03.0/driver'),
  );
  expect(functionOf(captured(), addresses.display)?.drivers).toEqual(['simple-gpu']);
});

test('a variant driver of VFIO that was made for the function is told beside the others, loaded or not', () => {
  const told = 'simple_gpu.alias=pci:v0000ABCDd*sv*sd*bc*sc*i*\0';
  writeFileSync(join(root, 'lib/modules/6.12.9-amd64/modules.builtin.modinfo'), told);
  const alias = readFileSync(join(root, 'sys/bus/pci/devices', addresses.display, 'modalias'), 'utf8');
  const its = `vfio_${alias.slice(0, 'pci:v00000000d00000000'.length)}sv*sd*bc*sc*i*`;
  const lines = ['alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci', `alias ${its} simple_vfio_pci`];
  appendFileSync(join(root, 'lib/modules/6.12.9-amd64/modules.alias'), `${lines.join('\n')}\n`);
  expect(functionOf(captured(), addresses.display)?.drivers).toEqual(['simple_vfio_pci']);
  const drivers = join(root, 'sys/module/simple_vfio_pci/drivers');
  mkdirSync(join(drivers, 'pci:simple-vfio-pci'), { recursive: true });
  expect(functionOf(captured(), addresses.display)?.drivers).toEqual(['simple-vfio-pci']);
});
