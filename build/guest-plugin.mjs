// Two modules that no file holds, for esbuild (the command line), vitest and vite (the editor):
//   guest:kernel   the simulated kernel, bundled into the text of one script for QuickJS
//   guest:quickjs  a function that compiles the QuickJS WebAssembly module, from wherever this bundle keeps its bytes
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformAsync } from '@babel/core';
import blockScoping from '@babel/plugin-transform-block-scoping';
import destructuring from '@babel/plugin-transform-destructuring';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const entry = join(root, 'runtime/kernel/guest/kernel.ts');
const wasmPackage = '@jitl/quickjs-wasmfile-release-sync/wasm';
const wasmFile = () => createRequire(join(root, 'package.json')).resolve(wasmPackage);

/** The guest as one script text, and the files that it was made of. */
async function bundleGuest() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'neutral',
    target: 'es2023',
    format: 'iife',
    // Names stay, so that a failure inside says where, and so does the syntax: the engine takes longer for what is shorter
    // (`!0`, and what stands between commas).
    minifyWhitespace: true,
    legalComments: 'none',
    // What a class declares is there once it is assigned; to define it first takes time, and nobody would see it.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, target: 'es2023' } },
    logLevel: 'warning',
  });
  return {
    text: await loweredForQuickJs(result.outputFiles[0].text),
    inputs: Object.keys(result.metafile.inputs).map((file) => join(root, file)),
  };
}

/**
 * QuickJS asks at each use of a `const` or `let` whether it has a value yet, and takes apart by many steps what a pattern
 * says in one word: without both, a system call takes a tenth less time (docs/performance.md).
 */
async function loweredForQuickJs(script) {
  const { code } = await transformAsync(script, {
    plugins: [blockScoping.default, destructuring.default],
    sourceType: 'script',
    comments: false,
    compact: true,
    babelrc: false,
    configFile: false,
  });
  return code;
}

/** For esbuild: the bytes of QuickJS lie inside the bundle, so that it stays one file to copy. */
export function guestPlugin() {
  return {
    name: 'guest',
    setup(bundler) {
      bundler.onResolve({ filter: /^guest:/ }, ({ path }) => ({ path, namespace: 'guest' }));
      // The package names four builds of QuickJS; what three of them would load is never asked for.
      const others =
        /^@jitl\/quickjs-wasmfile-(debug-sync|(debug|release)-asyncify)\/(ffi|emscripten-module)$/;
      bundler.onResolve({ filter: others }, () => ({ path: 'left-out', namespace: 'guest' }));
      bundler.onLoad({ filter: /^left-out$/, namespace: 'guest' }, () => ({
        contents: `throw new Error('this build of QuickJS is no part of the bundle')`,
      }));
      bundler.onLoad({ filter: /^guest:kernel$/, namespace: 'guest' }, async () => {
        const { text, inputs } = await bundleGuest();
        return { contents: text, loader: 'text', watchFiles: inputs };
      });
      bundler.onLoad({ filter: /^guest:quickjs$/, namespace: 'guest' }, () => ({
        contents: `import bytes from 'guest:bytes'; export default () => WebAssembly.compile(bytes);`,
        resolveDir: root,
      }));
      bundler.onLoad({ filter: /^guest:bytes$/, namespace: 'guest' }, () => ({
        contents: readFileSync(wasmFile()),
        loader: 'binary',
      }));
    },
  };
}

/** For vite and vitest: a page fetches QuickJS as an asset, a test reads it from the package. */
export function guestVitePlugin() {
  return {
    name: 'guest',
    enforce: 'pre',
    resolveId(id) {
      return id === 'guest:kernel' || id === 'guest:quickjs' ? `\0${id}` : null;
    },
    async load(id, options) {
      if (id === '\0guest:quickjs') return options?.ssr === true ? compileFromFile() : compileFromAsset;
      if (id !== '\0guest:kernel') return null;
      const { text, inputs } = await bundleGuest();
      for (const file of inputs) this.addWatchFile(file);
      return `export default ${JSON.stringify(text)};`;
    },
  };
}

function compileFromFile() {
  return `import { readFile } from 'node:fs/promises';
export default async () => WebAssembly.compile(await readFile(${JSON.stringify(wasmFile())}));`;
}

// Servers of static files do not all know the media type that compileStreaming() insists on.
const compileFromAsset = `import url from '${wasmPackage}?url';
export default async () => WebAssembly.compile(await (await fetch(url)).arrayBuffer());`;
