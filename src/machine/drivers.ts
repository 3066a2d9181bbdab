/** Whether a driver hands its functions to userspace through VFIO: vfio-pci and its variants (mlx5_vfio_pci …). */
export function isVfioDriver(driver: string): boolean {
  return /(^|[-_])vfio[-_]pci$/.test(driver);
}

/** Whether it is a VFIO driver that was made for certain devices. */
export function isVariant(driver: string): boolean {
  return isVfioDriver(driver) && driver !== 'vfio-pci';
}
