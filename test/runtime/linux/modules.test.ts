import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { errno } from '../../../runtime/abi/errno.ts';
import { loadLibC } from '../../../runtime/linux/libc.ts';
import { linuxBackend } from '../../../runtime/linux/linux.ts';
import { errnoFromWords } from '../../../runtime/linux/modules.ts';
import { NativeUnavailable, nativeObstacle } from '../../../runtime/linux/obstacles.ts';

describe('modules', () => {
  it('a name that is no module name never reaches modprobe', async () => {
    const linux = await linuxBackend();
    for (const name of ['', '-r', '--config=/x', 'a b', '../x', 'x\ny']) {
      expect(linux.loadModule(name), name).toBe(-errno.EINVAL);
      expect(linux.unloadModule(name), name).toBe(-errno.EINVAL);
    }
  });

  it('nor does a parameter that modprobe would take for an option', async () => {
    const linux = await linuxBackend();
    for (const text of ['', '-r', '--force', '=1', ' a=1']) {
      expect(linux.loadModule('vfioplan_no_such_module', [text]), text).toBe(-errno.EINVAL);
    }
  });

  it('a module that does not exist is ENOENT, or ENOSYS where there is no modprobe', async () => {
    const linux = await linuxBackend();
    expect([-errno.ENOENT, -errno.ENOSYS]).toContain(linux.loadModule('vfioplan_no_such_module'));
  });

  it('unloading one that is not loaded is ENOENT, or EPERM for a user', async () => {
    const linux = await linuxBackend();
    const expected = process.geteuid?.() === 0 ? errno.ENOENT : errno.EPERM;
    // ENOSYS: a kernel without modules.
    expect([-expected, -errno.EPERM, -errno.ENOSYS]).toContain(linux.unloadModule('vfioplan-no-such-module'));
  });

  it.each([
    ['modprobe: FATAL: Module foo not found in directory /lib/modules/6.12.117', errno.ENOENT],
    ["modprobe: ERROR: could not insert 'vfio_pci': Operation not permitted", errno.EPERM],
    ["modprobe: ERROR: could not insert 'vfio_pci': Invalid argument\n", errno.EINVAL],
    [
      "modprobe: ERROR: could not insert 'x': Unknown symbol in module, or unknown parameter (see dmesg)",
      errno.ENOENT,
    ],
    ['something that no version says', errno.EIO],
  ])('%s', async (words, expected) => {
    expect(errnoFromWords(words, await loadLibC())).toBe(-expected);
  });
});

describe('what stands in the way', () => {
  it('is one of the known words, or nothing', () => {
    const obstacle = nativeObstacle('0.0.0-no-such-kernel');
    if (process.geteuid?.() !== 0) expect(obstacle).toBe('not-root');
    else expect([null, 'no-vfio']).toContain(obstacle);
  });

  it('a missing koffi is told by its name, from a process that cannot find it', () => {
    // The same source, bundled by esbuild with koffi left outside, run from a folder that has no packages.
    const script = `
      import { build } from 'esbuild';
      const { outputFiles } = await build({ entryPoints: ['runtime/linux/linux.ts'], bundle: true, write: false,
        platform: 'node', format: 'esm', external: ['koffi'] });
      process.stdout.write(outputFiles[0].text);`;
    const root = new URL('../../..', import.meta.url).pathname;
    const bundle = execFileSync('node', ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    const probe = `${bundle}\nlinuxBackend().then(() => console.log('loaded'), (e) => console.log(e.name, e.obstacle));`;
    const said = execFileSync('node', ['--input-type=module', '-e', probe], { cwd: '/', encoding: 'utf8' });
    expect(said.trim()).toBe('NativeUnavailable koffi-missing');
  });

  it('carries its word', () => {
    expect(new NativeUnavailable('no-vfio', 'why')).toMatchObject({
      obstacle: 'no-vfio',
      message: 'no-vfio: why',
    });
  });
});
