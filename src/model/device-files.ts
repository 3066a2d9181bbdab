import type { Device, Hardware, World } from './state.ts';

/** What the files of a device show that is neither driver nor group. `vendor` stands for the device being there at all. */
export const deviceFiles = ['vendor', 'reset_method', 'sriov_numvfs', 'sriov_drivers_autoprobe'] as const;

/** A file's text, or null when the device has no such file. */
export function shownFile(
  { profile }: World,
  { vendor, totalVfs }: Hardware,
  { settings }: Device,
  file: string | undefined,
): string | null {
  const recent = profile.viability === 'claim';
  switch (file) {
    case 'vendor':
      return `0x${vendor}`;
    case 'reset_method':
      return recent && settings.resettable ? settings.resetMethods.join(' ') : null;
    case 'sriov_numvfs':
      return totalVfs === null ? null : `${settings.virtualFunctions}`;
    case 'sriov_drivers_autoprobe':
      return totalVfs === null || !recent ? null : settings.probesVirtual ? '1' : '0';
    default:
      return null;
  }
}
