import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { NativeObstacle } from '../linux/obstacles.ts';
import type { Invocation } from './invocation.ts';

/** What stands in the way of acting on this machine, as a diagnostic; null: nothing does. */
export async function obstacleTo(command: string, { io, line }: Invocation): Promise<Diagnostic | null> {
  const obstacle = await io.machine.obstacle();
  if (obstacle === null) return null;
  const optional = command === 'apply' || command === 'record';
  const place = line.placeOf(optional ? '--native' : command);
  if (obstacle === 'not-root') {
    const cures = [
      `run it as root: \`sudo vfioplan ${command} …\``,
      ...(optional ? ['leave `--native` away: a simulated kernel needs no privilege'] : []),
    ];
    return report('VP6901', place, { command }, { cures });
  }
  const { reason, cure } = words[obstacle];
  return report('VP6902', place, { reason }, { cures: [cure] });
}

const words: Readonly<Record<Exclude<NativeObstacle, 'not-root'>, { reason: string; cure: string }>> = {
  'not-linux': {
    reason: 'it does not run Linux on x86-64',
    cure: 'carry the plan to the machine that it is for, and apply it there',
  },
  'koffi-missing': {
    reason: 'the package koffi, by which system calls are made, is not installed',
    cure: 'install it beside vfioplan: `npm install koffi`',
  },
  'no-vfio': {
    reason: 'its kernel has no VFIO, neither built in nor as modules',
    cure: "install the kernel's modules (`/lib/modules`), or a kernel with CONFIG_VFIO",
  },
};
