import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { holds } from '../../src/machine/holdings.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Op } from '../../src/model/op.ts';
import { ruleOf } from '../../src/model/ops.ts';
import {
  rolesOf,
  type Trace,
  type TraceCall,
  type TraceLine,
  type TraceOperation,
} from '../../src/wire/trace.ts';

/**
 * Whether a script can be carried out on a real kernel by this one process, and harms nothing but the devices that VFIO
 * gives it: decided before anything is done (see docs/decisions).
 */
export function nativeProblems(
  script: Trace,
  snapshot: Snapshot,
  allowChanges: boolean,
): readonly Diagnostic[] {
  const introduced = script.records.filter(({ record }) => record.record === 'process');
  const found: Diagnostic[] = introduced
    .slice(1)
    .map(({ place }) => cannot(place, 'every operation is made by one process, this one', oneProcess));
  for (const { record, line, place } of script.records) {
    if (record.record === 'exit')
      found.push(cannot(place, 'the process that ends would be this one', oneProcess));
    else if (record.record === 'call')
      found.push(...callProblems({ record, line, place }, snapshot, allowChanges));
    if (found.length >= most) break;
  }
  return found.slice(0, most);
}

const most = 20;

const oneProcess = ['record it on the simulated kernel, which has as many processes as a script names'];

function callProblems(
  { record, place }: TraceLine<TraceCall>,
  snapshot: Snapshot,
  allowChanges: boolean,
): readonly Diagnostic[] {
  const { operation } = record;
  if (operation.op === 'descriptor.pass') return [cannot(place, 'there is nobody to pass it to', oneProcess)];
  if ('path' in operation && !isOurs(operation.path)) {
    const cures = [
      "name VFIO's nodes, /dev/iommu, /dev/kvm or /dev/null: what else could be reached is not known",
    ];
    return [cannot(place, `\`${operation.path}\` is no file of VFIO's`, cures)];
  }
  const number = numbersIn(operation).find((fd) => fd >= 0 && fd < leastImpossible);
  if (number !== undefined) {
    const cures = [`name the descriptor, or take a number that none can have: -1, or ${leastImpossible}`];
    return [cannot(place, `descriptor ${number} may be one of vfioplan's own`, cures)];
  }
  if (!changesMachine(operation.op)) return [];
  if (!allowChanges) return [report('VP6205', place, { op: operation.op }, { cures: changeCures })];
  const reason = harm(operation, snapshot);
  return reason === null ? [] : [cannot(place, reason, ['rehearse it on the simulated kernel instead'])];
}

const changeCures = [
  'record it on the simulated kernel: leave `--native` away',
  '`--allow-changes` makes such operations, and takes back afterwards what can be taken back',
];

/** What a change could break that cannot be taken back; null: nothing that is known. */
function harm(operation: TraceOperation, snapshot: Snapshot): string | null {
  if (!takenBack.has(operation.op)) return `nobody could take \`${operation.op}\` back`;
  if ('module' in operation) {
    const named = [operation.module, ...('also' in operation ? (operation.also ?? []) : [])];
    const other = named.find((name) => !/^(vfio|irqbypass$|iommufd$)/.test(name));
    if (other !== undefined) return `module \`${other}\` is none of VFIO's`;
  }
  // `ids=` takes devices that no operation names, and a module's own parameters hold until it is loaded anew.
  if ('parameters' in operation)
    return 'a module that is given parameters may take devices that nobody names';
  if (!('device' in operation)) return null;
  const { device } = operation;
  if (!snapshot.functions.some(({ address }) => address === device)) return null;
  for (const kind of ['any', 'management'] as const) {
    const held = holds(snapshot, device, kind);
    if (held.is === 'held') return `the host needs ${device}: ${held.chain.join(', ')}`;
    if (held.is === 'unknown') return `whether the host needs ${device} is not known: ${held.unknown}`;
  }
  return null;
}

/** What a plan may hold, and so what vfioplan knows how to take back. */
const takenBack: ReadonlySet<string> = new Set<TraceOperation['op']>([
  'module.load',
  'module.unload',
  'parameter.write',
  'override.write',
  'driver.bind',
  'driver.unbind',
  'drivers.probe',
  'node.own',
]);

/** Sysfs, modules and nodes: what others than the process see. */
export function changesMachine(op: TraceOperation['op']): boolean {
  const { object } = ruleOf({ op } as Op).words;
  return object === 'sysfs' || object === 'modules' || object === 'configuration' || op === 'node.own';
}

function isOurs(path: string): boolean {
  return (
    ['/dev/null', '/dev/iommu', '/dev/kvm'].includes(path) ||
    /^\/dev\/vfio\/(devices\/)?[A-Za-z0-9-]+$/.test(path)
  );
}

/** fs/file.c:sysctl_nr_open: no process has a descriptor from there on, unless somebody raised the limit. */
const leastImpossible = 1_048_576;

function numbersIn(operation: TraceOperation): readonly number[] {
  const fields = operation as unknown as Readonly<Record<string, unknown>>;
  return [...rolesOf(operation.op)].flatMap(([field, role]) => {
    if (role !== 'descriptor') return [];
    return [fields[field]].flat().filter((value) => typeof value === 'number');
  });
}

function cannot(place: Diagnostic['place'], reason: string, cures: readonly string[]): Diagnostic {
  return report('VP6204', place, { reason }, { cures });
}
