/** What the lab runs beside what builds its kernels: command or file, and the Debian package that has it. */
export const NEEDS = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['/usr/share/seabios/bios-256k.bin', 'seabios'],
  ['busybox', 'busybox-static'],
  ['cpio', 'cpio'],
  ['modprobe', 'kmod'],
  ['setpriv', 'util-linux'],
  ['script', 'bsdutils'],
  ['udevadm', 'udev'],
  ['/lib/systemd/systemd-modules-load', 'systemd'],
  ['/usr/lib/x86_64-linux-gnu/libc.a', 'libc6-dev'],
];
