/** Everything of the machine that a plan may touch, read without the product's own probe. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

const DEVICES = '/sys/bus/pci/devices';

/**
 * Drivers, overrides and groups of all functions, loaded modules, VFIO's parameters and nodes with their owners. The
 * taint is left out: nothing takes it back.
 */
export function machineState(): { readonly [path: string]: string } {
  const state: { [path: string]: string } = {};
  for (const device of readdirSync(DEVICES)) {
    const folder = join(DEVICES, device);
    for (const link of ['driver', 'iommu_group']) state[`${device} ${link}`] = target(join(folder, link));
    state[`${device} driver_override`] = readFileSync(join(folder, 'driver_override'), 'utf8').trim();
  }
  for (const line of readFileSync('/proc/modules', 'utf8').trim().split('\n')) {
    const [name = '', , users = ''] = line.split(' ');
    if (name !== '') state[`module ${name}`] = `users ${users}`;
  }
  for (const module of ['vfio', 'vfio_iommu_type1', 'vfio_pci']) {
    const folder = `/sys/module/${module}/parameters`;
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      state[`parameter ${module}.${name}`] = readFileSync(join(folder, name), 'utf8').trim();
    }
  }
  for (const entry of existsSync('/dev/vfio') ? readdirSync('/dev/vfio', { recursive: true }) : []) {
    const path = join('/dev/vfio', String(entry));
    const { mode, uid, gid } = lstatSync(path);
    state[path] = `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
  }
  return state;
}

/** What is not the same, in words; empty: nothing. */
export function changes(
  before: { readonly [path: string]: string },
  after: { readonly [path: string]: string },
): readonly string[] {
  return Object.keys({ ...before, ...after })
    .filter((path) => before[path] !== after[path])
    .map((path) => `${path}: ${before[path] ?? 'absent'} -> ${after[path] ?? 'absent'}`);
}

function target(link: string): string {
  return existsSync(link) ? basename(readlinkSync(link)) : 'none';
}
