import { type Fact, isUnknown, type Snapshot } from './snapshot.ts';

/**
 * Configuration files that are vfioplan's, by their names. Each is whole: it is written, replaced and removed, and nobody
 * else's line stands in it. The first line says whose it is; a file of such a name without it is somebody else's.
 */
export const ownPaths = {
  modules: '/etc/modules-load.d/vfioplan.conf',
  options: '/etc/modprobe.d/vfioplan.conf',
  rules: '/etc/udev/rules.d/60-vfioplan.rules',
  limits: '/etc/security/limits.d/60-vfioplan.conf',
} as const;

/** Where units of the administrator are, and the directories of their drop-ins. */
export const unitDirectory = '/etc/systemd/system';

/** The drop-in of a service's unit: `vpp.service` (systemd.unit(5)). */
export function dropInPath(unit: string): string {
  return `${unitDirectory}/${unit}.d/60-vfioplan.conf`;
}

/** The unit of a service as a policy calls it: `vpp` and `vpp.service` are one. */
export function unitOf(service: string): string {
  return service.endsWith('.service') ? service : `${service}.service`;
}

/** What a service is called, however its unit is written: what is forbidden `vpp.service` is forbidden `vpp`. */
export function serviceName(written: string): string {
  const short = written.replace(/\.service$/, '');
  return unitOf(short) === unitOf(written) ? short : written;
}

/** Names as systemd.unit(5) reads them for what they are, and for nothing else. */
export const unitName = /^[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]{0,199}$/;

/** Whether a file of that name would be vfioplan's. */
export function isOwnPath(path: string): boolean {
  const paths: readonly string[] = Object.values(ownPaths);
  const unit = path.slice(unitDirectory.length + 1, path.lastIndexOf('.d/'));
  return paths.includes(path) || (unitName.test(unit) && dropInPath(unitOf(unit)) === path);
}

/** The directories that those files need, with the ones above; a distribution with udev, kmod, PAM and systemd has them. */
export const usualDirectories: readonly string[] = [
  '/etc/modprobe.d',
  '/etc/modules-load.d',
  '/etc/security',
  '/etc/security/limits.d',
  '/etc/systemd',
  '/etc/systemd/system',
  '/etc/udev',
  '/etc/udev/rules.d',
];

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Every file that is there under a name of ours; a reason where that is not known. */
export function configurationOf({ configuration }: Snapshot): Fact<Known> {
  return configuration ?? { unknown: 'the snapshot does not tell it' };
}

type Known = Exclude<NonNullable<Snapshot['configuration']>, { readonly unknown: string }>;

/** The first line of every file of ours; every reader of them takes it for a comment. */
export const ownMark = '# Written by vfioplan, which replaces and removes this file. See vfioplan(1).';

/** The second line, where the directory was made for the file. */
export const directoryMark = '# Its directory was made for it, too.';

export function isOurs(text: string): boolean {
  return text.startsWith(`${ownMark}\n`);
}

/** The text of a file: null when there is none, unknown with the reason. */
export function textAt(snapshot: Snapshot, path: string): Fact<string | null> {
  const told = configurationOf(snapshot);
  return isUnknown(told) ? told : (told.files.find((file) => file.path === path)?.text ?? null);
}
