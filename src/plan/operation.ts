import type { Op } from '../model/op.ts';
import { ROOT } from '../model/world.ts';
import type { PlanOperation } from './plan.ts';

/** A plan's operation for the model or the lowering: the executor makes it. */
export function opOf(operation: PlanOperation): Extract<Op, { op: PlanOperation['op'] }> {
  return { ...operation, pid: ROOT };
}

/** The model's operation as a plan holds it. Only what acts on sysfs, modules, nodes and configuration files can be planned. */
export function operationOf(op: Op): PlanOperation {
  switch (op.op) {
    case 'module.load':
      if (op.parameters !== undefined) throw new Error('a plan loads modules as they are');
      return { op: op.op, module: op.module };
    case 'module.unload':
    case 'parameter.write':
    case 'override.write':
    case 'driver.bind':
    case 'driver.unbind':
    case 'drivers.probe':
    case 'device.sriov_autoprobe':
    case 'device.sriov_numvfs':
    case 'node.own':
    case 'config.write':
    case 'config.remove':
    case 'config.make_directory':
    case 'config.remove_directory': {
      const { pid: _, ...operation } = op;
      return operation;
    }
    default:
      throw new Error(`${op.op} is no operation of a plan`);
  }
}
