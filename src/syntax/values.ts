import { datePattern } from '../../grammar/values.ts';

/** A day of the Gregorian calendar, `2027-03-01`; the year 1 is the first. */
export function isDate(text: string): boolean {
  const [, year, month, day] = (datePattern.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  return year >= 1 && day >= 1 && day <= daysOf(year, month);
}

/** How many days a month has, counted from 1; 0: there is no such month. */
export function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

/** As many NUMA nodes as a kernel can have (CONFIG_NODES_SHIFT is at most 10). */
export const numaLimit = 1023;

/** The highest number of a virtual function: sriov_totalvfs is a field of 16 bits (PCI_SRIOV_TOTAL_VF). */
export const virtualLimit = 65534;

/** Ways to reset a function, as `reset_method` has them: drivers/pci/pci.c pci_reset_fn_methods (6.12). */
export const resetMethods: readonly string[] = [
  'device_specific',
  'acpi',
  'flr',
  'af_flr',
  'pm',
  'bus',
  'cxl_bus',
];

/** The capabilities of Linux 6.12, in the order of their numbers: include/uapi/linux/capability.h. */
export const capabilities: readonly string[] = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT',
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP',
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
].flatMap((line) => line.split(' ').map((name) => `CAP_${name}`));
