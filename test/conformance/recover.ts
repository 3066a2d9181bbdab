/** Brings a kernel back to a state of rest without the model's help: after a disagreement nobody knows where it is. */

import type { Op } from '../../src/model/op.ts';
import { same } from '../../src/model/same.ts';
import type { State, World } from '../../src/model/state.ts';
import { show } from '../../src/model/view.ts';
import { actors } from './cast.ts';
import type { Executor } from './executor.ts';
import { everyPath } from './paths.ts';

const [{ pid }] = actors;

/** The state of rest, with the taint that the kernel has by now; null when it cannot be had. */
export function recover(world: World, rest: State, executor: Executor): State | null {
  if (!executor.end()) return null;
  executor.begin([actors[0]]);
  const devices = '/sys/bus/pci/devices';
  const paths = world.hardware.map(({ address }) => `${devices}/${address}/driver`);
  const bound = executor.shows(paths);
  const attempt = (op: Op) => executor.perform(op);
  const strangers = world.hardware.filter(
    ({ address, index }) =>
      (bound.get(`${devices}/${address}/driver`) ?? null) !== rest.devices[index]?.driver,
  );
  for (const { address } of strangers) {
    const driver = bound.get(`${devices}/${address}/driver`) ?? null;
    if (driver !== null) attempt({ op: 'driver.unbind', pid, driver, device: address });
  }
  for (const { address, index } of world.hardware) {
    if (
      executor
        .shows([`${devices}/${address}/driver_override`])
        .get(`${devices}/${address}/driver_override`) !==
      show(world, rest, `${devices}/${address}/driver_override`)
    )
      attempt({ op: 'override.write', pid, device: address, text: rest.devices[index]?.override ?? '' });
  }
  for (const { name, index } of world.modules.values()) {
    if (rest.modules[index]) attempt({ op: 'module.load', pid, module: name });
    for (const [parameter, text] of Object.entries(rest.modules[index] ?? {})) {
      attempt({ op: 'parameter.write', pid, module: name, parameter, text });
    }
  }
  for (const { address, index } of strangers) {
    const driver = rest.devices[index]?.driver ?? null;
    if (driver !== null) attempt({ op: 'driver.bind', pid, driver, device: address });
  }
  for (const { address, index } of world.hardware) {
    const methods = rest.devices[index]?.settings.resetMethods ?? [];
    attempt({ op: 'device.reset_method', pid, device: address, text: methods.join(' ') || '\n' });
  }
  const node = rest.containerNode;
  if (node)
    attempt({ op: 'node.own', pid, path: '/dev/vfio/vfio', uid: node.uid, gid: node.gid, mode: node.mode });
  const taint = '/proc/sys/kernel/tainted';
  const now = { ...rest, taint: Number(executor.shows([taint]).get(taint)) };
  const all = everyPath(world, now);
  const shown = executor.shows(all);
  executor.end();
  executor.log();
  const back = all.every((path) => same(shown.get(path) ?? null, show(world, now, path)));
  return back ? now : null;
}
