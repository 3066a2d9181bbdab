/** Made by `build/guest-plugin.mjs`. */

declare module 'guest:kernel' {
  /** The simulated kernel as the text of one script for QuickJS. */
  const guest: string;

  export { guest as default };
}

declare module 'guest:quickjs' {
  /** Compiles the QuickJS WebAssembly module. */
  const compile: () => Promise<WebAssembly.Module>;

  export { compile as default };
}

/** What of WebAssembly's JavaScript interface this room names; the compiler's ES library declares none of it. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Memory {
    readonly buffer: ArrayBufferLike;
  }
}
