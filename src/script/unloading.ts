import { isVfioDriver } from '../machine/drivers.ts';
import { isUnknown } from '../machine/snapshot.ts';
import { moduleOf } from '../model/modules.ts';
import type { Module } from '../model/state.ts';
import { ROOT } from '../model/world.ts';
import type { Draft } from './draft.ts';
import type { PutBack } from './put-back.ts';
import { asBefore } from './sentence.ts';

/**
 * Unloads the modules that earlier plans loaded once nothing needs any of them: no function is with a driver of one, and no
 * other module rests on one. All or none, because VFIO needs some without saying so (vfio_iommu_type1). What would come back
 * otherwise than it is (ids that it was given) stays, and so does what others have begun to need: a module, or an open file.
 */
export function unloadModules(draft: Draft, { modules }: PutBack): void {
  const { world } = draft;
  const loaded = modules.flatMap(({ path }) => {
    const module = moduleOf(world, path.slice('/sys/module/'.length));
    return module !== undefined && draft.shows(path) !== null ? [module] : [];
  });
  if (loaded.length === 0 || isBusy(draft, loaded) || isKept(draft, loaded)) return;
  const generation = Math.max(...modules.map((each) => each.generation));
  for (const first of loaded) {
    const also = orderAfter(draft, loaded, first);
    if (also === null) continue;
    const rest = also.length === 0 ? {} : { also: also.map(({ name }) => name) };
    const op = { op: 'module.unload', pid: ROOT, module: first.name, ...rest } as const;
    // Loading the first one has to bring the others back.
    if ('none' in draft.wayBack(op)) continue;
    draft.add(op, [], `${draft.sentence(op)}${asBefore(generation)}`);
    return;
  }
}

/** Whether a function is with a driver of one of them. */
function isBusy(draft: Draft, modules: readonly Module[]): boolean {
  const names = new Set(modules.map(({ name }) => name));
  for (const address of draft.world.devices.keys()) {
    const driver = draft.boundTo(address);
    if (driver !== null && names.has(draft.world.drivers.get(driver)?.module ?? '')) return true;
  }
  return false;
}

/**
 * Whether something keeps one of them that goes with none of them: a module that the model does not know (kvmgt), or who has
 * a container, a group or /dev/iommu open. Where the kernel does not tell, only the model is asked.
 */
function isKept({ policy: { snapshot } }: Draft, modules: readonly Module[]): boolean {
  if (isUnknown(snapshot.modules)) return false;
  const names = new Set(modules.map(({ name }) => name));
  // While there are devices of VFIO, a file system of its own keeps vfio (drivers/vfio/vfio_main.c:vfio_fs_inode_new).
  const bound = snapshot.functions.some(({ driver }) => typeof driver === 'string' && isVfioDriver(driver));
  for (const name of names) {
    const { holders = [], references = 0 } = snapshot.modules[name] ?? {};
    if (isUnknown(holders) || isUnknown(references)) continue;
    if (holders.some((holder) => !names.has(holder)) || references > holders.length + (bound ? 1 : 0))
      return true;
  }
  return false;
}

/** The others in an order in which none goes while another needs it; null: something needs the first, or one of them. */
function orderAfter(draft: Draft, loaded: readonly Module[], first: Module): readonly Module[] | null {
  const all = [...draft.world.modules.values()];
  const there = new Set(all.filter(({ name }) => draft.shows(`/sys/module/${name}`) !== null));
  const isNeeded = ({ name }: Module): boolean => [...there].some((other) => other.requires.includes(name));
  if (isNeeded(first)) return null;
  there.delete(first);
  const order: Module[] = [];
  while (1 + order.length < loaded.length) {
    const next = loaded.find((module) => there.has(module) && !isNeeded(module));
    if (next === undefined) return null;
    there.delete(next);
    order.push(next);
  }
  return order;
}
