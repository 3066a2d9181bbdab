import type { Rule } from './guard.ts';
import type { Op } from './op.ts';
import { driverBind } from './ops/driver-bind.ts';
import { driverUnbind } from './ops/driver-unbind.ts';
import { driversProbe } from './ops/drivers-probe.ts';
import { moduleLoad } from './ops/module-load.ts';
import { moduleUnload } from './ops/module-unload.ts';
import { nodeOwn } from './ops/node-own.ts';
import { overrideWrite } from './ops/override-write.ts';
import { parameterWrite } from './ops/parameter-write.ts';

/** Every operation's rule: its guards in the kernel's order, its effect, its undo. */
export const rules = {
  'module.load': moduleLoad,
  'module.unload': moduleUnload,
  'parameter.write': parameterWrite,
  'override.write': overrideWrite,
  'driver.bind': driverBind,
  'driver.unbind': driverUnbind,
  'drivers.probe': driversProbe,
  'node.own': nodeOwn,
} satisfies { readonly [Kind in SysfsKind]: Rule<Extract<Op, { op: Kind }>> };

type SysfsKind =
  | 'module.load'
  | 'module.unload'
  | 'parameter.write'
  | 'override.write'
  | 'driver.bind'
  | 'driver.unbind'
  | 'drivers.probe'
  | 'node.own';

export function ruleOf(op: Op): Rule {
  return (rules as unknown as Record<string, Rule>)[op.op] as Rule;
}
