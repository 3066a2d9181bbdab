import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linuxProcesses, takeLock } from '../../../runtime/execute/lock.ts';
import { edge, onBench, policy } from './native-bench.ts';

describe('in rehearsal', () => {
  test('shows the steps, the predictions, the kernel log and who can do what, and says that nothing was changed', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      const { code, out, err } = await call('apply @/p.vfio --machine @/edge.json --state-dir @/state');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^edge: rehearsed on a simulated kernel\n {4}1 {2}/);
      expect(out).toMatch(/5 steps done; \d+ files looked at, all as predicted/);
      expect(out).toContain('Adding kernel taint for vfio-noiommu group');
      expect(out).toContain('tried: user dpdk opens /dev/vfio/noiommu-0\n');
      expect(out).toContain('tried: a stranger opens /dev/vfio/noiommu-0: refused with EACCES');
      expect(out).toMatch(/nothing on this machine was changed\.\n$/);
      expect(shows()).toEqual(before);
      expect(readdirSync(folder).sort()).toEqual(['edge.json', 'p.vfio']);
    }));

  test('says what was assumed because the snapshot does not tell it', () =>
    onBench(async ({ folder, call }) => {
      const [nic] = edge.functions;
      const functions = [{ ...nic, driverOverride: { unknown: 'nobody looked' } }];
      writeFileSync(join(folder, 'edge.json'), JSON.stringify({ ...edge, functions }));
      const { code, out } = await call('apply @/p.vfio --machine @/edge.json');
      expect(code).toBe(0);
      expect(out).toContain(
        'assumed, since the snapshot does not tell it\n    - 0000:03:00.0 has no driver override\n',
      );
    }));

  test('says the same to programs', () =>
    onBench(async ({ call }) => {
      const { out } = await call('apply @/p.vfio --machine @/edge.json --format json');
      const { rehearsals, ...rest } = JSON.parse(out);
      expect(rest).toMatchObject({ command: 'apply', exitCode: 0, native: false });
      expect(rehearsals[0]).toMatchObject({ host: 'edge', verdict: 'done' });
      expect(rehearsals[0].predictions.equal).toBe(rehearsals[0].predictions.compared);
      expect(rehearsals[0].trials).toContainEqual({
        who: 'user dpdk',
        device: 'nic',
        node: '/dev/vfio/noiommu-0',
        errno: null,
      });
    }));

  test('a policy that check refuses is not rehearsed', () =>
    onBench(async ({ folder, call }) => {
      writeFileSync(join(folder, 'q.vfio'), policy.replace('noiommu allowed', 'noiommu forbidden #'));
      const { code, out, err } = await call('apply @/q.vfio --machine @/edge.json');
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/error\[VP\d{4}\]/);
    }));
});

describe('an earlier generation', () => {
  test('that is not finished is not built upon, even where nothing is to be done', () =>
    onBench(async ({ folder, call }) => {
      await call('apply @/p.vfio --native --state-dir @/state');
      const journal = join(folder, 'state/journal-1.jsonl');
      const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
      writeFileSync(journal, `${lines.slice(0, -1).join('\n')}\n`);
      const { code, err } = await call('apply @/p.vfio --native --state-dir @/state');
      expect(code).toBe(1);
      expect(err).toContain('error[VP6010]');
      const planned = await call('plan @/p.vfio --live --state-dir @/state');
      expect(planned.out).toContain('it is known what earlier plans have established');
    }));

  test('is told by a snapshot of the machine', () =>
    onBench(async ({ call }) => {
      await call('apply @/p.vfio --native --state-dir @/state');
      const { out } = await call('snapshot --state-dir @/state');
      expect(JSON.parse(out).established).toContainEqual({
        path: '/dev/vfio/noiommu-0',
        found: '600 0:0',
        left: '600 990:0',
        identity: '8086:1572',
        of: '0000:03:00.0',
        generation: 1,
        earlierBoot: false,
      });
    }));
});

describe('a saved plan', () => {
  test('is rehearsed without naming its policy again', () =>
    onBench(async ({ call }) => {
      expect(await call('plan @/p.vfio --machine @/edge.json --out @/plan.json')).toMatchObject({ code: 0 });
      const { code, out } = await call('apply @/plan.json --machine @/edge.json');
      expect(code).toBe(0);
      expect(out).toContain('5 steps done');
    }));

  test('is refused when the policy, the machine or the date has changed', () =>
    onBench(async ({ folder, call }) => {
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      const late = await call('apply @/plan.json --machine @/edge.json --today 2027-04-01');
      expect(late.code).toBe(1);
      expect(late.err).toContain('error[VP5005]');
      const other = { ...edge, functions: edge.functions.map((pci) => ({ ...pci, driver: 'ixgbe' })) };
      writeFileSync(join(folder, 'other.json'), JSON.stringify(other));
      const moved = await call('apply @/plan.json --machine @/other.json');
      expect(moved.code).toBe(1);
      expect(moved.err).toContain('error[VP5002]');
      writeFileSync(join(folder, 'p.vfio'), `${policy}\n# one more line`);
      const edited = await call('apply @/plan.json --machine @/edge.json');
      expect(edited.code).toBe(1);
      expect(edited.err).toContain('error[VP5001]');
    }));

  test('needs a snapshot to be rehearsed on', () =>
    onBench(async ({ folder, call }) => {
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      mkdirSync(join(folder, 'elsewhere'));
      const { code, err } = await call('apply @/plan.json');
      expect(code).toBe(1);
      expect(err).toContain('error[VP2907]');
    }));
});

describe('with --native', () => {
  test('acts after the rehearsal, and revert brings everything back', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      const applied = await call('apply @/p.vfio --native --state-dir @/state');
      expect(applied).toMatchObject({ code: 0, err: '' });
      expect(applied.out.indexOf('rehearsed on a simulated kernel')).toBeLessThan(
        applied.out.indexOf('on this machine'),
      );
      expect(applied.out).toContain('to take it back: vfioplan revert 1');
      expect(shows()).toMatchObject({
        '/sys/bus/pci/devices/0000:03:00.0/driver': 'vfio-pci',
        '/dev/vfio/noiommu-0': '600 990:0',
      });
      const reverted = await call('revert --state-dir @/state');
      expect(reverted).toMatchObject({ code: 0, err: '' });
      expect(reverted.out).toContain('generation 1: reverted: everything is as it was before');
      expect(shows()).toEqual(before);
      const again = await call('revert --state-dir @/state');
      expect(again.code).toBe(1);
      expect(again.err).toContain('error[VP6011]');
      expect(readFileSync(join(folder, 'state/journal-1.jsonl'), 'utf8')).toContain('"reverted"');
    }));

  test('what the machine does not tell even now is refused, with nothing done', () => {
    const functions = edge.functions.map((pci) => ({ ...pci, driverOverride: { unknown: 'nobody looked' } }));
    return onBench(
      async ({ call, shows }) => {
        const before = shows();
        const { code, err } = await call('apply @/p.vfio --native --state-dir @/state');
        expect(code).toBe(1);
        expect(err).toMatch(/error\[VP500[34]\]/);
        expect(shows()).toEqual(before);
      },
      { ...edge, functions },
    );
  });

  test('a policy for other machines does not act on this one', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      writeFileSync(join(folder, 'q.vfio'), policy.replaceAll('edge', 'other'));
      const refused = await call('apply @/q.vfio --native --state-dir @/state');
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('error[VP2911]');
      expect(shows()).toEqual(before);
    }));

  test('of a policy for many machines, only what is for this one is done, and the others need no snapshot here', () =>
    onBench(async ({ folder, call, shows }) => {
      const many = `${policy}\nhost other { snapshot "not-here.json" }\npolicy more on other { protect devices that hold root }`;
      writeFileSync(join(folder, 'q.vfio'), many);
      const { code, out, err } = await call('apply @/q.vfio --native --state-dir @/state');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).not.toContain('other');
      expect(shows()['/dev/vfio/noiommu-0']).toBe('600 990:0');
    }));

  test('a saved plan acts too', () =>
    onBench(async ({ call, shows }) => {
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      expect(await call('apply @/plan.json --native --state-dir @/state')).toMatchObject({
        code: 0,
        err: '',
      });
      expect(shows()['/dev/vfio/noiommu-0']).toBe('600 990:0');
    }));

  test('a plan whose deeds are not those of its policy is refused, whatever else it says', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      const path = join(folder, 'plan.json');
      const plan = JSON.parse(readFileSync(path, 'utf8'));
      const last = plan.steps.at(-1);
      Object.assign(last.operation, { uid: 4321, mode: 0o666 });
      last.after['/dev/vfio/noiommu-0'] = '666 4321:0';
      writeFileSync(path, JSON.stringify({ ...plan, relies: {}, access: [] }));
      for (const words of ['--native', '--machine @/edge.json']) {
        const refused = await call(`apply @/plan.json ${words} --state-dir @/state`);
        expect(refused.code).toBe(1);
        expect(refused.err).toContain('error[VP5008]');
      }
      expect(shows()).toEqual(before);
    }));

  test('what a plan file says of the deeds is not believed: the plan that is made anew is carried out', () =>
    onBench(async ({ folder, call }) => {
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      const path = join(folder, 'plan.json');
      const plan = JSON.parse(readFileSync(path, 'utf8'));
      for (const step of plan.steps) Object.assign(step, { before: {}, after: {}, sentence: 'do no harm' });
      writeFileSync(path, JSON.stringify(plan));
      const { code, out } = await call('apply @/plan.json --native --state-dir @/state');
      expect(code).toBe(0);
      expect(out).not.toContain('do no harm');
      expect(readFileSync(join(folder, 'state/journal-1.jsonl'), 'utf8')).not.toContain('"before":{}');
    }));

  test('a plan whose policies are gone does not act', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      await call('plan @/p.vfio --machine @/edge.json --out @/plan.json');
      rmSync(join(folder, 'p.vfio'));
      const { code, err } = await call('apply @/plan.json --native --state-dir @/state');
      expect(code).toBe(1);
      expect(err).toContain('error[VP5009]');
      expect(shows()).toEqual(before);
    }));

  test('a machine that is not as its snapshot said is refused, with nothing done', () =>
    onBench(async ({ call, shows }) => {
      await call('apply @/p.vfio --native --state-dir @/state');
      const before = shows();
      const { code, err } = await call('apply @/p.vfio --native --state-dir @/state');
      expect(code).toBe(1);
      expect(err).toContain('error[VP6004]');
      expect(shows()).toEqual(before);
    }));

  test('a lock that another process holds is respected', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      mkdirSync(join(folder, 'state'));
      takeLock(join(folder, 'state'), '2026-11-22T12:00:00Z', { ...linuxProcesses(), pid: 1 });
      const { code, err } = await call('apply @/p.vfio --native --state-dir @/state');
      expect(code).toBe(1);
      expect(err).toContain('error[VP6001]');
      expect(err).toContain('process 1');
      expect(shows()).toEqual(before);
    }));

  test('a state folder that cannot be used is refused, with nothing done', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      writeFileSync(join(folder, 'file'), '');
      const { code, err } = await call('apply @/p.vfio --native --state-dir @/file');
      expect(code).toBe(1);
      expect(err).toContain('error[VP6002]');
      expect(shows()).toEqual(before);
    }));

  test.skipIf(process.getuid?.() !== 0)('a disk that is full under the journal ends in a rollback', () =>
    onBench(async ({ folder, call, shows }) => {
      const before = shows();
      const state = join(folder, 'state');
      mkdirSync(state);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k,mode=700', 'vfioplan-test', state]);
      try {
        const { code, err } = await call('apply @/p.vfio --native --state-dir @/state');
        expect([1, 3]).toContain(code);
        expect(err).toMatch(/error\[VP600[23]\]/);
        expect(err).toContain('ENOSPC');
        expect(shows()).toEqual(before);
      } finally {
        execFileSync('umount', [state]);
      }
    }),
  );
});

test('recover with nothing to recover does nothing', () =>
  onBench(async ({ call }) => {
    expect(await call('recover --state-dir @/state')).toMatchObject({
      code: 0,
      out: 'nothing had to be done\n',
    });
  }));

test('revert of a generation that is no number is a mistake', () =>
  onBench(async ({ call }) => {
    expect(await call('revert 0x1 --state-dir @/state')).toMatchObject({ code: 64, out: '' });
  }));
