import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { decode, encode, patch } from '../../../runtime/abi/layout.ts';
import { layouts } from '../../../runtime/abi/vfio.ts';
import { askCompiler, ours, readTable } from './uapi.ts';

const committed = readTable(readFileSync(new URL('uapi-6.12.txt', import.meta.url), 'utf8'));

/** Structures that grew: the headers of an older kernel may say less, and the kernel accepts both. */
const grew = new Map([['sizeof vfio_device_info', ['20', '24']]]);

function compilerHere(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return existsSync('/usr/include/linux/vfio.h');
  } catch {
    return false;
  }
}

describe('the numbers and layouts of the kernel ABI', () => {
  it('are those that the headers of Linux 6.12 gave a C compiler (the committed table)', () => {
    for (const [name, value] of ours()) expect(committed.get(name), name).toBe(value);
  });

  it('are those that the headers of this machine give its C compiler', () => {
    if (!compilerHere()) {
      process.stderr.write(
        'abi: no gcc or no linux-libc-dev here (apt-get install gcc linux-libc-dev); only the committed table of Linux 6.12 was compared\n',
      );
      expect(committed.size).toBeGreaterThan(100);
      return;
    }
    const compiled = askCompiler([]);
    expect(compiled.size).toBeGreaterThan(100);
    const mine = ours();
    for (const [name, value] of compiled) {
      if (!mine.has(name)) continue;
      const accepted = grew.get(name) ?? [mine.get(name)];
      expect(accepted, name).toContain(value);
    }
  });
});

describe('layouts', () => {
  const map = layouts.vfio_iommu_type1_dma_map;

  it('put values where C puts them', () => {
    const bytes = encode(map, { argsz: 32, flags: 3, iova: 0x1_0000_0000n, size: 0x20_0000n });
    expect([...bytes.slice(0, 8)]).toEqual([32, 0, 0, 0, 3, 0, 0, 0]);
    expect([...bytes.slice(16, 24)]).toEqual([0, 0, 0, 0, 1, 0, 0, 0]);
    expect(decode(map, bytes)).toEqual({
      argsz: 32,
      flags: 3,
      vaddr: 0n,
      iova: 0x1_0000_0000n,
      size: 0x20_0000n,
    });
  });

  it('keep the full width of 64 bits', () => {
    const bytes = encode(map, { vaddr: 0xffff_ffff_ffff_f000n });
    expect(decode(map, bytes).vaddr).toBe(0xffff_ffff_ffff_f000n);
  });

  it('patch only what is given, in the bytes given', () => {
    const memory = new Uint8Array(16).fill(0xee);
    patch(layouts.vfio_group_status, memory.subarray(4, 12), { flags: 1 });
    expect([...memory]).toEqual([...Array(8).fill(0xee), 1, 0, 0, 0, ...Array(4).fill(0xee)]);
  });

  it('refuse memory that is too short', () => {
    expect(() => decode(layouts.vfio_group_status, new Uint8Array(7))).toThrow(RangeError);
  });
});

describe('errnoOf', () => {
  it('names what VFIO can answer and numbers the rest', () => {
    expect(errnoOf(0)).toBeNull();
    expect(errnoOf(3)).toBeNull();
    expect(errnoOf(-25)).toBe('ENOTTY');
    expect(errnoOf(-36)).toBe('errno 36');
  });
});
