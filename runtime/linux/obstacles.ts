/** Why the real kernel cannot be acted on, as data: the command line gives each its code and its cure. */
import { existsSync } from 'node:fs';

export type NativeObstacle =
  /** Not Linux on x86-64. */
  | 'not-linux'
  /** The optional package koffi is not installed, or has no binary for this machine. */
  | 'koffi-missing'
  /** The effective user is not root: sysfs writes and node ownership would be refused. */
  | 'not-root'
  /** No VFIO: neither loaded, nor built in, nor a module folder from which it could be loaded. */
  | 'no-vfio';

export class NativeUnavailable extends Error {
  readonly obstacle: NativeObstacle;

  constructor(obstacle: NativeObstacle, detail: string) {
    super(`${obstacle}: ${detail}`);
    this.name = 'NativeUnavailable';
    this.obstacle = obstacle;
  }
}

/**
 * The first thing that stands in the way of carrying out a plan here, `null` when nothing does. Looks only at what is
 * cheap and certain; that koffi loads is known when `linuxBackend` has resolved. `release` is the kernel's (uname -r).
 */
export function nativeObstacle(release: string): NativeObstacle | null {
  if (process.platform !== 'linux') return 'not-linux';
  if (process.geteuid?.() !== 0) return 'not-root';
  const present = existsSync('/sys/module/vfio') || existsSync('/dev/vfio/vfio');
  return present || existsSync(`/lib/modules/${release}`) ? null : 'no-vfio';
}
