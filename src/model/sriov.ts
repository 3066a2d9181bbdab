import { parameterOf } from './modules.ts';
import { arrive, changeSettings, enabledVirtualFunctions, offered } from './presence.ts';
import type { Hardware, State, World } from './state.ts';

/** Virtual functions: who can enable them, and what appears then. */

/** Drivers with a sriov_configure of their own, by a search through the tree of 6.12. */
const configuring: ReadonlySet<string> = new Set(
  [
    '420xx 4xxx LiquidIO be2net bnx2x bnxt_en c3xxx c6xx cxgb4 dfl-pci dh895xcc ena fm10k fsl_enetc genwqe hinic',
    'hisi_hpre hisi_sec2 hisi_zip hns3 i40e ice idpf igb ionic ixgbe mlx5_core nfp nvme octeon_ep octeontx-cpt',
    'pci-endpoint-test pci-pf-stub pds_core qede qlcnic rvu_cptpf rvu_nicpf sfc sfc_siena virtio-pci xe',
  ].flatMap((line) => line.split(' ')),
);

/** Whether a driver can be asked for virtual functions; vfio-pci where its module has the parameter for it. */
export function configuresSriov(world: World, driver: string): boolean {
  if (driver !== 'vfio-pci') return configuring.has(driver);
  return world.modules.get('vfio_pci')?.parameters['enable_sriov'] !== undefined;
}

/** drivers/vfio/pci/vfio_pci.c:vfio_pci_sriov_configure: vfio-pci asks its parameter each time, also to disable. */
export function sriovWithheld(world: World, state: State, driver: string): boolean {
  return driver === 'vfio-pci' && parameterOf(world, state, 'vfio_pci', 'enable_sriov') !== 'Y';
}

/**
 * Virtual functions appear one after the other, each with its group, and are offered to the drivers; those of vfio-pci
 * have an override that keeps them with it (drivers/pci/iov.c:sriov_enable, vfio_pci_core.c:vfio_pci_bus_notifier).
 */
export function enable(world: World, state: State, owner: Hardware, count: number): State {
  const driver = state.devices[owner.index]?.driver ?? null;
  const override = driver !== null && world.drivers.get(driver)?.vfio === true ? 'vfio-pci' : null;
  let now = changeSettings(state, owner, { virtualFunctions: count });
  for (const index of owner.virtualFunctions.slice(0, count)) {
    const hardware = world.hardware[index];
    if (hardware === undefined || now.devices[index]?.present === true) continue;
    now = offered(world, arrive(world, now, hardware, override), hardware);
  }
  return now;
}

/** Whether a virtual function is open through VFIO: then its physical one asks for the token (vf_token->users). */
export function inUse(world: World, state: State, owner: Hardware): boolean {
  return enabledVirtualFunctions(world, state, owner).some(
    ({ index }) => (state.devices[index]?.vfio?.opens ?? 0) > 0,
  );
}
