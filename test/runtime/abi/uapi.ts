/**
 * What a C compiler says about the kernel's own headers: one line a number, size or offset. The program is written
 * from the names that `runtime/abi` uses, so a name that is new there is asked about without further work.
 *
 * Run by itself it prints the table for the headers in the folders given:
 *   npx tsx test/runtime/abi/uapi.ts [INCLUDE…] > test/runtime/abi/uapi-6.12.txt
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants as system, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { iommufd, iommufdLayouts, iommufdRequests } from '../../../runtime/abi/iommufd.ts';
import { kvm, kvmLayouts, kvmRequests } from '../../../runtime/abi/kvm.ts';
import type { Field, Layout } from '../../../runtime/abi/layout.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { layouts, vfio } from '../../../runtime/abi/vfio.ts';
import { errnoNumbers } from '../../../src/model/errno.ts';

const constants = {
  ...requests,
  ...iommufdRequests,
  ...kvmRequests,
  ...vfio,
  ...iommufd,
  ...kvm,
  ...fcntl,
  ...mman,
  ...errnoNumbers,
};

const structures: { readonly [name: string]: Layout<{ readonly [name: string]: Field }> } = {
  ...layouts,
  ...iommufdLayouts,
  ...kvmLayouts,
};

const bytes = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8 };

/** What `runtime/abi` says: the same names as the table. */
export function ours(): Map<string, string> {
  const table = new Map<string, string>(Object.entries(constants).map(([name, value]) => [name, `${value}`]));
  for (const [name, { size, fields }] of Object.entries(structures)) {
    table.set(`sizeof ${name}`, `${size}`);
    for (const [field, { offset, kind }] of Object.entries(fields)) {
      table.set(`${name}.${field}`, `${offset} ${bytes[kind]}`);
    }
  }
  return table;
}

function program(): string {
  // Every errno, so that the table need not be written anew when the model learns one.
  const names = new Set([...Object.keys(constants), ...Object.keys(system.errno)]);
  const lines = [...names].map((name) =>
    // What is a macro can be asked about; 6.1's headers lack a few that 6.12 has.
    name.startsWith('VFIO_DEVICE_')
      ? `#ifdef ${name}\n  number("${name}", ${name});\n#endif`
      : newer(name, `  number("${name}", ${name});`),
  );
  for (const [name, { fields }] of Object.entries(structures)) {
    lines.push(newer(name, `  printf("sizeof ${name} = %zu\\n", sizeof(struct ${name}));`));
    for (const field of Object.keys(fields)) {
      const member = `((struct ${name} *)0)->${field}`;
      lines.push(
        newer(
          name,
          `  printf("${name}.${field} = %zu %zu\\n", offsetof(struct ${name}, ${field}), sizeof(${member}));`,
        ),
      );
    }
  }
  return `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
static void number(const char *name, long long value) { printf("%s = %lld\\n", name, value); }
int main(void) {
${lines.join('\n')}
  return 0;
}
`;
}

/** What 6.1's headers do not have yet is asked of those that do. */
function newer(name: string, line: string): string {
  if (/^iommu_|^IOMMU_/.test(name)) return `#ifdef IOMMUFD_TYPE\n${line}\n#endif`;
  return /_iommufd(_pt)?$/.test(name) ? `#ifdef VFIO_DEVICE_BIND_IOMMUFD\n${line}\n#endif` : line;
}

/** Compiles and runs the program; `includes` are searched before the system's headers. Throws what gcc says. */
export function askCompiler(includes: readonly string[]): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-abi-'));
  try {
    const source = join(folder, 'abi.c');
    const binary = join(folder, 'abi');
    writeFileSync(source, program());
    execFileSync('gcc', [...includes.map((path) => `-I${path}`), '-o', binary, source], { stdio: 'pipe' });
    return readTable(execFileSync(binary, { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines `name = value`; `#` begins a comment line. */
export function readTable(text: string): Map<string, string> {
  const table = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' = ');
    if (at > 0 && !line.startsWith('#')) table.set(line.slice(0, at), line.slice(at + 3));
  }
  return table;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const table = askCompiler(process.argv.slice(2));
  process.stdout.write([...table].map(([name, value]) => `${name} = ${value}\n`).join(''));
}
