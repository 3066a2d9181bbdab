/** One boot of a lab kernel whose only program is the agent: a kernel that answers system calls as long as it is kept. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Credentials } from '../../../runtime/backend.ts';
import { usualDirectories } from '../../../src/machine/configuration.ts';
import type { LabMachine } from '../machines.ts';
import { guestFiles } from './files.ts';
import { moduleFiles } from './modules.ts';
import { calls, Port } from './port.ts';
import { GuestProcess } from './process.ts';

/** Folder with bzImage, release and modules/. */
type KernelFolder = string;

/**
 * Lines of which the kernel leaves out those that come too often: ten of a kind in five seconds (pci_info_ratelimited,
 * include/linux/ratelimit_types.h). What a sequence logs shall not depend on how fast the one before it was.
 */
const limited = /VF token|device request|Relaying/;
const burst = 10;
/** Milliseconds, with some more for a guest whose clock is late. */
const interval = 5500;

/** Calls on a guest are synchronous, and so are pauses between them. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

export class Guest {
  readonly port: Port;
  private readonly emulator: ChildProcess;
  private readonly folder: string;
  private readonly modules: ReturnType<typeof moduleFiles>;
  /** Lines that the kernel limits, and since when they are counted. */
  private lines = 0;
  private since = 0;

  private constructor(emulator: ChildProcess, folder: string, kernel: KernelFolder) {
    this.emulator = emulator;
    this.folder = folder;
    this.modules = moduleFiles(kernel);
    this.port = new Port(
      openSync(join(folder, 'port.in'), 'w'),
      openSync(join(folder, 'port.out'), 'r'),
      () => this.lastWords(),
    );
  }

  /** `seconds` of real time after which the machine is ended whatever it does. */
  static start(kernel: KernelFolder, initramfs: string, machine: LabMachine, seconds: number): Guest {
    const folder = mkdtempSync(join(tmpdir(), 'vfioplan-guest-'));
    for (const name of ['port.in', 'port.out']) execFileSync('mkfifo', [join(folder, name)]);
    const emulator = spawn(
      'timeout',
      [
        '--signal=KILL',
        `${seconds}`,
        'qemu-system-x86_64',
        ...argumentsOf(kernel, initramfs, machine, folder),
      ],
      { stdio: ['ignore', openSync(join(folder, 'said'), 'w'), openSync(join(folder, 'said'), 'a')] },
    );
    return new Guest(emulator, folder, kernel);
  }

  /** A new process; `number` is its place, which must be free. */
  spawn(number: number, who: Credentials & { readonly nofile?: number }): GuestProcess {
    const answer = this.port.call(number, calls.spawn, [], credentialBytes(who));
    if (answer < 0n) throw new Error(`the guest made no process: ${answer}`);
    return new GuestProcess(this.port, number, this.modules);
  }

  /** Ends all processes, and with them their descriptors; how many would not end. */
  end(): number {
    return Number(this.port.call(0, calls.end, [], undefined, 2000));
  }

  files(process: GuestProcess): ReturnType<typeof guestFiles> {
    return guestFiles(process);
  }

  /** What the kernel logged since the last time, without priorities and times. */
  log(): readonly string[] {
    this.port.call(0, calls.log, []);
    const lines = this.port
      .text()
      .split('\n')
      .filter((line) => /^\d/.test(line))
      .map((line) => line.slice(line.indexOf(';') + 1));
    this.pace(lines.filter((line) => limited.test(line)).length);
    return lines;
  }

  /** Waits until what comes next is logged whole, though it may have half as many lines as the kernel lets through. */
  private pace(lines: number): void {
    if (Date.now() - this.since > interval) {
      this.since = Date.now();
      this.lines = 0;
    }
    this.lines += lines;
    if (this.lines < burst / 2) return;
    sleep(interval);
    this.lines = 0;
  }

  /** The console and what the emulator said, for a person who asks why. */
  lastWords(): string {
    const read = (name: string) =>
      readFileSync(join(this.folder, name), 'utf8').split('\n').slice(-25).join('\n');
    return `${read('serial')}\n${read('said')}`;
  }

  stop(): void {
    // timeout(1) passes it on.
    this.emulator.kill('SIGTERM');
    this.port.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const plain = 'Nehalem';
/** kvm_amd asks who made the processor before it looks at what that can. */
const virtualising = `${plain},vendor=AuthenticAMD,+svm,+npt,+nrip-save`;

function argumentsOf(kernel: KernelFolder, initramfs: string, machine: LabMachine, folder: string): string[] {
  // QEMU's own syntax: a comma in a value is doubled.
  const path = (name: string) => join(folder, name).replaceAll(',', ',,');
  return [
    ...['-accel', 'tcg,thread=single', '-cpu', machine.virtualises ? virtualising : plain],
    ...['-smp', '1', '-m', '256'],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', `file:${path('serial')}`],
    ...['-kernel', join(kernel, 'bzImage'), '-initrd', initramfs],
    ...['-append', `console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check ${machine.commandLine}`],
    ...machine.arguments,
    ...['-chardev', `pipe,id=port,path=${path('port')}`],
    ...['-device', 'virtio-serial-pci,bus=pcie.0,addr=0x1e', '-device', 'virtserialport,chardev=port'],
  ];
}

/** struct who of agent.c. */
function credentialBytes(who: Credentials & { readonly nofile?: number }): Uint8Array {
  const bytes = Buffer.alloc(104);
  const mask = who.capabilities.reduce((bits, name) => bits | (1n << BigInt(bitOf(name))), 0n);
  bytes.writeUInt32LE(who.uid, 0);
  bytes.writeUInt32LE(who.gid, 4);
  bytes.writeBigUInt64LE(mask, 8);
  bytes.writeBigUInt64LE(
    who.memlock === undefined || who.memlock === null ? ~0n & 0xffff_ffff_ffff_ffffn : BigInt(who.memlock),
    16,
  );
  bytes.writeBigUInt64LE(BigInt(who.nofile ?? 1024), 24);
  bytes.writeUInt32LE(who.groups.length, 32);
  for (const [index, group] of who.groups.entries()) bytes.writeUInt32LE(group, 36 + 4 * index);
  return bytes;
}

/** linux/capability.h */
const capabilityBits: Readonly<Record<string, number>> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_IPC_LOCK: 14,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
};

function bitOf(name: string): number {
  const bit = capabilityBits[name];
  if (bit === undefined) throw new Error(`no number for ${name}`);
  return bit;
}

/** The agent, compiled for the guest, and the kernel's modules. Answers the archive's path in `folder`. */
export function packAgent(kernel: KernelFolder, folder: string): string {
  const tree = join(folder, 'tree');
  const release = readFileSync(join(kernel, 'release'), 'utf8').trim();
  for (const name of ['/proc', '/sys', '/dev', '/lib/modules', ...usualDirectories]) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  const source = fileURLToPath(new URL('agent.c', import.meta.url));
  execFileSync('gcc', [
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Os',
    '-static',
    '-s',
    '-o',
    join(tree, 'init'),
    source,
  ]);
  cpSync(join(kernel, 'modules'), join(tree, 'lib/modules', release), { recursive: true });
  const file = join(folder, 'agent.cpio');
  const pack = 'find . | cpio --quiet -o -H newc';
  writeFileSync(file, execFileSync('sh', ['-c', pack], { cwd: tree, maxBuffer: 64 << 20 }));
  return file;
}
