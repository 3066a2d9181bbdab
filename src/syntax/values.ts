/** The shapes of values that an operator already knows. */

const addressShape = /^(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$/;
const idShape = /^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/;
const macShape = /^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/;
const versionShape = /^\d{1,3}\.\d{1,4}(?:\.\d{1,5})?$/;
const dateShape = /^(\d{4})-(\d{2})-(\d{2})$/;

/** `0000:03:00.0`, or `03:00.0` in domain 0: domain, bus, device below 32, function below 8. */
export function isAddress(text: string): boolean {
  return addressShape.test(text);
}

/** `8086:1572`: vendor and device, four hexadecimal digits each. */
export function isIdentity(text: string): boolean {
  return idShape.test(text);
}

export function isMac(text: string): boolean {
  return macShape.test(text);
}

/** `6.1` or `6.12.4`. */
export function isVersion(text: string): boolean {
  return versionShape.test(text);
}

/** A day of the Gregorian calendar, `2027-03-01`. */
export function isDate(text: string): boolean {
  const [, year, month, day] = (dateShape.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (days[month - 1] ?? 0);
}

/** The capabilities of Linux 6.12, in the order of their numbers: include/uapi/linux/capability.h. */
export const capabilities: readonly string[] = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT',
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP',
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
].flatMap((line) => line.split(' ').map((name) => `CAP_${name}`));
