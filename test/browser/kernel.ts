import { fcntl } from '../../runtime/abi/fcntl.ts';
import { bootSandbox } from '../../runtime/kernel/sandbox.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';

/**
 * What a script in a page can do with the simulated kernel: boots the machine and binds a function without an IOMMU
 * group, as root; answers what every call answered, and the kernel log.
 */
export async function bindOnSimulatedKernel(snapshot: Snapshot, device: string): Promise<readonly string[]> {
  const sandbox = await bootSandbox(snapshot);
  const root = sandbox.process({
    uid: 0,
    gid: 0,
    groups: [],
    capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_RAWIO'],
  });
  const answers: string[] = [];
  const write = (path: string, text: string) => {
    const fd = root.open(path, fcntl.O_WRONLY);
    answers.push(`${path}: ${fd < 0 ? fd : root.write(fd, new TextEncoder().encode(text))}`);
    if (fd >= 0) root.close(fd);
  };
  const at = `/sys/bus/pci/devices/${device}`;
  write('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode', 'Y');
  write(`${at}/driver/unbind`, device);
  write(`${at}/driver_override`, 'vfio-pci');
  write('/sys/bus/pci/drivers/vfio-pci/bind', device);
  answers.push(`${at}/driver -> ${root.readlink(`${at}/driver`)}`, ...sandbox.kernelLog());
  sandbox.dispose();
  return answers;
}
