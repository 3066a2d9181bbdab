import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check, plan, readPlan, render } from '../../../src/index.ts';
import { machine } from '../../machines.ts';
import { type Deed, inFolder, vfioplan } from './world.ts';

const policy = `host web-1 { snapshot "web-1.json" }
host web-2 { snapshot "web-2.json" }
device card on web-* { at 0000:03:00.0 }
policy give on web-* {
  bind card to vfio-pci
  allow user dpdk to use card via group
}
`;
const card = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' } as const;
const users = [{ name: 'dpdk', uid: 990 }];
const idle = machine({ hostname: 'web-1', functions: [card], users });
const busy = machine({
  hostname: 'web-2',
  functions: [card],
  users,
  nics: [{ name: 'eno1', on: '03:00.0' }],
  routes: { default: 'eno1' },
});
const unknownRoutes = { ...busy, hostname: 'web-1', routes: { unknown: 'nobody looked' } };

/** Runs a command line in a folder with the policy and its two machines; `@` is the folder. */
function inFleet<T>(use: (call: (argv: string) => Promise<Deed>, folder: string) => Promise<T>): Promise<T> {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'p.vfio'), policy);
    writeFileSync(join(folder, 'web-1.json'), JSON.stringify(idle));
    writeFileSync(join(folder, 'web-2.json'), JSON.stringify(busy));
    return use((argv) => vfioplan(argv.replaceAll('@', folder).split(' ')), folder);
  });
}

test('check judges every host, with the verdicts after the diagnostics', () =>
  inFleet(async (call) => {
    const { code, out, err } = await call('check @/p.vfio');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(/^error\[VP3\d{3}\]/);
    expect(out).toMatch(/web-1: accepted\nweb-2: refused\n1 error\n$/);
  }));

test('a host without a snapshot is not judged', () =>
  inFleet(async (call, folder) => {
    writeFileSync(join(folder, 'more.vfio'), 'host web-3 {}');
    const { code, out } = await call('check @/p.vfio @/more.vfio --host web-3');
    expect(code).toBe(0);
    expect(out).toMatch(/^warning\[VP2009\]/);
    expect(out).toMatch(/web-3: not judged, as it has no snapshot\n1 warning\n$/);
  }));

test('no host is accepted while a policy cannot be read: what stands in it may forbid the rest', () =>
  inFleet(async (call, folder) => {
    writeFileSync(join(folder, 'latin1.vfio'), Buffer.from('# caf\u00e9', 'latin1'));
    const { code, out } = await call('check @/p.vfio @/latin1.vfio --host web-1');
    expect(code).toBe(1);
    expect(out).toMatch(/^error\[VP2905\]/);
    expect(out).toMatch(/web-1: refused\n1 error\n$/);
    const json = JSON.parse((await call('check @/p.vfio @/latin1.vfio --host web-1 --format json')).out);
    expect(json.hosts).toEqual([{ host: 'web-1', accepted: false }]);
  }));

test('--host chooses one, and refuses a name that is none', () =>
  inFleet(async (call) => {
    expect(await call('check @/p.vfio --host web-1')).toMatchObject({
      code: 0,
      out: 'web-1: accepted\nnothing is wrong\n',
    });
    const unknown = await call('check @/p.vfio --host web-3');
    expect(unknown.code).toBe(1);
    expect(unknown.out).toContain('no host is called `web-3`');
    expect(unknown.out).toContain('`web-1`, `web-2`');
  }));

test('JSON has places as lines and columns, and a verdict for each host', () =>
  inFleet(async (call) => {
    const { out } = await call('check @/p.vfio --format json');
    const result = JSON.parse(out);
    expect(result).toMatchObject({ format: 'vfioplan.result', version: 1, command: 'check', exitCode: 1 });
    expect(result.hosts).toEqual([
      { host: 'web-1', accepted: true, preconditions: [] },
      { host: 'web-2', accepted: false },
    ]);
    const [diagnostic] = result.diagnostics;
    expect(diagnostic.file).toMatch(/p\.vfio$/);
    const { start, end } = diagnostic.range;
    const line = policy.split('\n')[start.line - 1];
    expect(policy.slice(start.offset, end.offset)).toBe(line?.slice(start.column - 1, end.column - 1));
  }));

test('what a machine does not tell is a warning and a precondition, and with --strict an error', () =>
  inFleet(async (call, folder) => {
    writeFileSync(join(folder, 'web-1.json'), JSON.stringify(unknownRoutes));
    const lenient = await call('check @/p.vfio --host web-1');
    expect(lenient.code).toBe(0);
    expect(lenient.out).toContain('web-1: accepted, if the machine shows that\n  - ');
    expect(lenient.out).toContain('(not known: nobody looked)');
    expect((await call('check @/p.vfio --host web-1 --strict')).code).toBe(1);
  }));

test('plan shows steps with effect, undo and reason, and tells pending changes by its exit code', () =>
  inFleet(async (call, folder) => {
    const { code, out, err } = await call('plan @/p.vfio --host web-1 --detailed-exitcode');
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(out).toMatch(/^web-1: \d steps \(model of kernel 6\.12\)\n/);
    expect(out).toContain('/sys/bus/pci/devices/0000:03:00.0/driver: i40e -> absent');
    expect(out).toContain('undo: bind 0000:03:00.0 (card) to i40e');
    expect(out).toContain(`wanted by ${folder}/p.vfio:5:3: bind card to vfio-pci`);
    writeFileSync(join(folder, 'q.vfio'), 'host web-1 { snapshot "web-1.json" }');
    expect((await call('plan @/q.vfio --detailed-exitcode')).code).toBe(0);
  }));

test('a saved plan is one document, for one host, and reads back as it was', () =>
  inFleet(async (call, folder) => {
    const two = await call('plan @/p.vfio --machine web-2=@/web-1.json --out @/plan.json');
    expect(two.code).toBe(64);
    expect(two.err).toContain('--host NAME');
    const one = await call('plan @/p.vfio --host web-1 --out @/plan.json --format json');
    const text = readFileSync(join(folder, 'plan.json'), 'utf8');
    expect(readPlan('plan.json', text)).toEqual({ plan: JSON.parse(one.out).plans[0], diagnostics: [] });
  }));

test('a policy that is refused has no plan', () =>
  inFleet(async (call) => {
    const { code, out, err } = await call('plan @/p.vfio');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('error[VP3');
  }));

test('a date decides: the one that is given, else that of the machine', () =>
  inFolder(async (folder) => {
    const text = `host edge { iommu absent noiommu allowed { owner "o" reason "r" until 2027-03-01 } }
      device nic on edge { at 0000:03:00.0 }
      policy p on edge { bind nic to vfio-pci }`;
    mkdirSync(join(folder, 'x'));
    writeFileSync(join(folder, 'p.vfio'), text);
    const edge = machine({ hostname: 'edge', iommu: 'none', functions: [card] });
    writeFileSync(join(folder, 'edge.json'), JSON.stringify(edge));
    const words = ['check', join(folder, 'p.vfio'), '--machine', join(folder, 'edge.json')];
    const at = (now: number, ...more: readonly string[]): Promise<Deed> =>
      vfioplan([...words, ...more], { now: () => now });
    const [last, next] = [new Date(2027, 2, 1, 23, 59).getTime(), new Date(2027, 2, 2).getTime()];
    expect((await at(last)).code).toBe(0);
    expect((await at(next)).code).toBe(1);
    expect((await at(next, '--today', '2027-03-01')).code).toBe(0);
    expect((await at(last, '--today', '2027-03-02')).code).toBe(1);
  }));

test('the library gives what the command line shows', () =>
  inFleet(async (call, folder) => {
    const file = join(folder, 'p.vfio');
    const sources = [{ file, text: policy }];
    const machines = [
      { name: 'web-1', snapshot: idle },
      { name: 'web-2', snapshot: busy },
    ];
    const checking = check({ sources, machines, today: '2026-11-22' });
    const { out } = await call('check @/p.vfio');
    expect(out.startsWith(render(checking.diagnostics, new Map([[file, policy]])))).toBe(true);
    const [first] = checking.hosts;
    if (first?.checked === undefined) throw new Error('web-1 is sound');
    const shown = await call('plan @/p.vfio --host web-1 --format json');
    expect(JSON.parse(shown.out).plans).toEqual([plan(first.checked, { sources, today: '2026-11-22' })]);
  }));
