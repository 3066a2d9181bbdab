/**
 * One boot of a real kernel under QEMU (TCG: no hardware, no /dev/kvm), from nothing to the results of one job.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * One, and a plain one. With two, Node crashed in one boot of six and its WebAssembly read out of bounds: QEMU 7.2
 * loses track of code that one emulated processor writes while another runs it.
 */
const PROCESSOR = ['-cpu', 'Nehalem', '-smp', '1'];

export interface Kernel {
  /** Folder with bzImage, release and modules/. */
  readonly folder: string;
  readonly initramfs: string;
}

export interface Job {
  readonly scenario: string;
  /** Arguments of QEMU that make the machine: chipset and devices. */
  readonly machine: readonly string[];
  /** Words on the kernel's command line besides the console. */
  readonly commandLine: string;
  /** The bundle that Node runs in the guest. */
  readonly bundle: string;
  readonly seed: number;
  readonly timeoutMs: number;
}

/** What a boot left behind. `exit` is null when the job did not end by itself. */
export interface Boot {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly dmesg: string;
  readonly results: string;
  readonly serial: string;
  /** What QEMU itself said. */
  readonly emulator: string;
  readonly milliseconds: number;
}

/** busybox and the init script, packed once for all boots. Answers the file's path in `folder`. */
export function packInitramfs(folder: string): string {
  const tree = join(folder, 'initramfs');
  for (const name of ['bin', 'proc', 'sys', 'dev']) mkdirSync(join(tree, name), { recursive: true });
  cpSync(
    execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim(),
    join(tree, 'bin/busybox'),
  );
  cpSync(fileURLToPath(new URL('guest/init', import.meta.url)), join(tree, 'init'));
  execFileSync('chmod', ['755', join(tree, 'init')]);
  const file = join(folder, 'initramfs.cpio');
  writeFileSync(
    file,
    execFileSync('sh', ['-c', 'find . | cpio --quiet -o -H newc'], { cwd: tree, maxBuffer: 64 << 20 }),
  );
  return file;
}

/** Boots, waits for the end or the timeout, and gathers. Never throws for what happens inside the guest. */
export async function boot(kernel: Kernel, job: Job): Promise<Boot> {
  const results = mkdtempSync(join(tmpdir(), 'vfioplan-lab-'));
  try {
    const environment = {
      LAB_KERNEL: kernel.folder,
      LAB_RELEASE: readFileSync(join(kernel.folder, 'release'), 'utf8').trim(),
      LAB_NODE: process.execPath,
      LAB_JOB: job.bundle,
      LAB_SCENARIO: job.scenario,
      LAB_SEED: `${job.seed}`,
    };
    writeFileSync(
      join(results, 'env'),
      Object.entries(environment)
        .map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`)
        .join(''),
    );
    const started = Date.now();
    const emulator = await emulate(qemuArguments(kernel, job, results), job.timeoutMs);
    return { ...gather(results), emulator, milliseconds: Date.now() - started };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

function qemuArguments(kernel: Kernel, job: Job, results: string): string[] {
  // QEMU's own syntax: a comma in a value is doubled.
  const path = (value: string) => value.replaceAll(',', ',,');
  return [
    ...['-accel', 'tcg', ...PROCESSOR, '-m', '1024', '-nodefaults', '-display', 'none'],
    ...['-no-reboot', '-serial', `file:${path(join(results, 'serial'))}`],
    ...['-kernel', join(kernel.folder, 'bzImage'), '-initrd', kernel.initramfs],
    ...['-append', `console=ttyS0 quiet loglevel=4 panic=-1 no_timer_check ${job.commandLine}`],
    ...['-virtfs', 'local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap'],
    ...['-virtfs', `local,path=${path(results)},mount_tag=results,security_model=none,multidevs=remap`],
    ...job.machine,
  ];
}

async function emulate(args: readonly string[], timeoutMs: number): Promise<string> {
  const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [qemu.stdout, qemu.stderr]) stream.on('data', (bytes) => said.push(String(bytes)));
  const bomb = setTimeout(() => qemu.kill('SIGKILL'), timeoutMs);
  try {
    await new Promise((resolve, reject) => qemu.on('error', reject).on('close', resolve));
    return said.join('');
  } finally {
    clearTimeout(bomb);
  }
}

function gather(results: string): Omit<Boot, 'emulator' | 'milliseconds'> {
  const exit = readOr(results, 'exit').trim();
  return {
    exit: exit === '' ? null : Number(exit),
    stdout: readOr(results, 'stdout'),
    stderr: readOr(results, 'stderr'),
    dmesg: readOr(results, 'dmesg'),
    results: readOr(results, 'results.jsonl'),
    serial: readOr(results, 'serial'),
  };
}

/** A file that the guest did not come to write is empty: the boot's `exit` tells how far it came. */
function readOr(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return '';
  }
}
