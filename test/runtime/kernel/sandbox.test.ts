import { describe, expect, it } from 'vitest';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { machine } from '../../machines.ts';

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN'] };

describe('a simulated machine', () => {
  it('shows its functions where Linux shows them', async () => {
    const snapshot = machine({
      functions: [{ at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' }],
    });
    const sandbox = await bootSandbox(snapshot);
    const process = sandbox.process(root);
    const its = '/sys/bus/pci/devices/0000:03:00.0';
    expect(process.list('/sys/bus/pci/devices')).toEqual(['0000:03:00.0']);
    expect(process.readlink(its)).toBe('../../../devices/pci0000:00/0000:03:00.0');
    expect(process.readlink(`${its}/driver`)).toBe('../../../bus/pci/drivers/i40e');
    expect(process.list('/sys/bus/pci/drivers/i40e')).toContain('0000:03:00.0');
    expect(process.stat(`${its}/driver_override`)).toEqual({
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: 4096,
    });
    sandbox.dispose();
  });
});
