import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readConfiguration } from '../../../runtime/probe/configuration.ts';
import { sysrootFiles } from '../../../runtime/probe/files.ts';
import { ownPaths } from '../../../src/machine/configuration.ts';

/** Configuration files of a captured tree. */

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function tree(files: Readonly<Record<string, string | Uint8Array | null>>): string {
  const root = mkdtempSync(join(tmpdir(), 'vfioplan-configuration-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, content === null ? path : dirname(path)), { recursive: true });
    if (content !== null) writeFileSync(join(root, path), content);
  }
  return root;
}

const mountinfo = (options: string) => `1 0 8:1 / / ${options} - ext4 /dev/sda1 rw\n`;
const read = (root: string) => readConfiguration(sysrootFiles(root));

test('directories, whether others are in them, and the texts of our files', () => {
  const root = tree({
    '/proc/self/mountinfo': mountinfo('rw,noatime'),
    '/etc/modprobe.d/blacklist.conf': 'blacklist nouveau\n',
    [ownPaths.limits]: '# Written by hand\nä\n',
    '/etc/systemd/system/vpp.service.d/60-vfioplan.conf': '[Service]\n',
    '/etc/systemd/system/vpp.service.d/override.conf': '[Service]\n',
    '/etc/systemd/system/empty.service.d': null,
    '/etc/systemd/system/vpp.socket.d/60-vfioplan.conf': 'x',
  });
  expect(read(root)).toEqual({
    readOnly: false,
    directories: [
      { path: '/etc/modprobe.d', others: true },
      { path: '/etc/security', others: false },
      { path: '/etc/security/limits.d', others: false },
      { path: '/etc/systemd', others: false },
      { path: '/etc/systemd/system', others: true },
      { path: '/etc/systemd/system/empty.service.d', others: false },
      { path: '/etc/systemd/system/vpp.service.d', others: true },
    ],
    files: [
      { path: ownPaths.limits, text: '# Written by hand\nä\n' },
      { path: '/etc/systemd/system/vpp.service.d/60-vfioplan.conf', text: '[Service]\n' },
    ],
  });
});

test('a file system that takes no changes', () => {
  const overlay = `${mountinfo('rw')}2 1 0:30 / /etc ro,relatime - overlay overlay rw\n`;
  expect(read(tree({ '/proc/self/mountinfo': overlay, '/etc': null }))).toMatchObject({ readOnly: true });
  const whole = '1 0 8:1 / / rw,relatime - squashfs /dev/sda1 ro\n';
  expect(read(tree({ '/proc/self/mountinfo': whole, '/etc': null }))).toMatchObject({ readOnly: true });
  expect(read(tree({ '/etc': null }))).toMatchObject({ readOnly: { unknown: expect.any(String) } });
});

test('what cannot be taken for the text of a file is unknown, with the reason', () => {
  const root = tree({
    [ownPaths.limits]: Uint8Array.of(0x66, 0xff, 0x0a),
    [ownPaths.rules]: 'x'.repeat(1_048_577),
    '/etc/modprobe.d': null,
    '/elsewhere': '# Written by vfioplan',
  });
  symlinkSync('../../elsewhere', join(root, ownPaths.options));
  const told = read(root);
  expect('files' in told && told.files.map(({ path, text }) => [path, text])).toEqual([
    [ownPaths.options, { unknown: `${ownPaths.options} is a link` }],
    [ownPaths.rules, { unknown: expect.stringContaining('longer than') }],
    [ownPaths.limits, { unknown: expect.stringContaining('UTF-8') }],
  ]);
});

test('a capture without /etc does not tell', () => {
  expect(read(tree({ '/sys': null }))).toEqual({ unknown: 'the captured tree has no /etc' });
});
