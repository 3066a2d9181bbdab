// The simulated kernel as one text, the same for Node and for a page.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { guestPlugin } from '../../build/guest-plugin.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const example = join(root, 'examples/01-nic-without-iommu/machine.json');
const asked = [JSON.parse(readFileSync(example, 'utf8')), '0000:00:03.0'];

/** A module's text, without any reference to files. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['test/browser/kernel.ts'],
    write: false,
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    plugins: [guestPlugin()],
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

async function inNode(text) {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-kernel-'));
  try {
    const file = join(folder, 'kernel.mjs');
    writeFileSync(file, text);
    const { bindOnSimulatedKernel } = await import(pathToFileURL(file).href);
    return await bindOnSimulatedKernel(...asked);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inPage(page, text) {
  return page.evaluate(
    async ([source, its]) => {
      const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
      const { bindOnSimulatedKernel } = await import(url);
      return bindOnSimulatedKernel(...its);
    },
    [text, asked],
  );
}

/** What the same bundle answers in Node and in a page of its own. */
export async function kernelInBoth(context) {
  const text = await bundle();
  const page = await context.newPage();
  return { node: await inNode(text), page: await inPage(page, text) };
}
