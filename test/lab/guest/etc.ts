/** /etc as far as a plan may write to it, and the programs that read it at a boot. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['modprobe.d', 'modules-load.d', 'security/limits.d', 'systemd/system', 'udev/rules.d'];

/** The host that the guest's root is of may lack some of them. */
export function makeFolders(): void {
  for (const folder of folders) mkdirSync(join('/etc', folder), { recursive: true });
}

/** Every entry below the folders with its mode, and the texts of files. */
export function etcState(): { readonly [path: string]: string } {
  const state: { [path: string]: string } = {};
  for (const folder of folders.map((each) => join('/etc', each))) {
    for (const entry of readdirSync(folder, { recursive: true })) {
      const path = join(folder, String(entry));
      const { mode, uid, gid } = lstatSync(path);
      const text = (mode & 0o170000) === 0o100000 ? readFileSync(path, 'utf8') : '';
      state[path] = `${mode.toString(8)} ${uid}:${gid} ${text}`;
    }
  }
  return state;
}

/** What a program says, which has to succeed. */
export function said(program: string, ...args: readonly string[]): string {
  // The root of the guest is not the one of its first process, and udevadm would do nothing in such a place.
  const env = { ...process.env, SYSTEMD_IGNORE_CHROOT: '1' };
  return execFileSync(program, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * What a boot does once the root is there: modules-load.d is read, udev begins, and is told of the devices that there are
 * (systemd-modules-load.service, systemd-udevd.service, systemd-udev-trigger.service).
 */
export function bootPrograms(devices: readonly string[]): void {
  said('/lib/systemd/systemd-modules-load');
  // It answers once it listens, and keeps what it was given to write to.
  execFileSync('/lib/systemd/systemd-udevd', ['--daemon'], { stdio: 'ignore' });
  said('udevadm', 'control', '--ping');
  for (const device of devices) said('udevadm', 'trigger', '--action=add', '--settle', device);
  said('udevadm', 'settle');
  said('udevadm', 'control', '--exit');
}
