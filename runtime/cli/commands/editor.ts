import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from '../../../src/diagnostics/report.ts';
import { type Ending, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';

/**
 * `vfioplan editor`: the built page as static files on the loopback interface. A request names a file of a list that
 * was made when the server started, so that no request can reach any other file.
 */
export async function editor(invocation: Invocation): Promise<Ending> {
  const { io, line, options } = invocation;
  const site = siteBeside(io);
  if (site === null) {
    const cures = ['build it with `npm run build`, or install the published package, which carries it'];
    return refusal([report('VP6903', line.placeOf('editor'), {}, { cures })], new Map());
  }
  const server = createServer((request, response) => answer(site, request, response));
  const problem = await listen(server, options.port);
  if (problem !== null) {
    const cures = ['choose another with `--port NUMBER`; `--port 0` takes any that is free'];
    const holes = { port: options.port, reason: problem };
    return refusal([report('VP6904', line.placeOf(String(options.port)), holes, { cures })], new Map());
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const url = `http://127.0.0.1:${port}/`;
  io.stderr.write('The editor is served until this is interrupted (Ctrl-C):\n');
  const afterwards = async (): Promise<void> => {
    await io.interrupted();
    server.closeAllConnections();
    server.close();
  };
  return { exit: 'done', diagnostics: [], sources: new Map(), human: `${url}\n`, json: { url }, afterwards };
}

type Site = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly type: string }>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.vfio': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
};

/** As the page's own policy, and no frame of another site around it. Monaco sets styles of elements from its script. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function siteBeside(io: Io): Site | null {
  for (const folder of ['../editor/dist/', '../../editor/dist/']) {
    const base = fileURLToPath(new URL(folder, io.home));
    const names = io.files.list(base);
    if (!names.includes('index.html')) continue;
    const site = new Map<string, { bytes: Uint8Array; type: string }>();
    for (const name of names) {
      const read = io.files.read(base + name, 64 * 1024 * 1024, false);
      const type = types[extname(name)] ?? 'application/octet-stream';
      if (read.kind === 'bytes') site.set(`/${name}`, { bytes: read.bytes, type });
    }
    return site;
  }
  return null;
}

function answer(site: Site, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Cache-Control', 'no-cache');
  const status = refusalOf(request);
  const file = status === null ? site.get(pathOf(request.url ?? '')) : undefined;
  if (file === undefined) {
    response.writeHead(status ?? 404, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(status === null ? 'There is no such file.\n' : 'This request is not served.\n');
    return;
  }
  response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.bytes.length });
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

/** A Host that is not this machine's loopback is another site's name pointed here (DNS rebinding). */
function refusalOf(request: IncomingMessage): number | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '') ? null : 403;
}

function pathOf(url: string): string {
  const path = url.split(/[?#]/)[0] ?? '';
  return path === '/' ? '/index.html' : path;
}

/** Answers why it could not listen, or null. */
async function listen(server: Server, port: number): Promise<string | null> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') return 'another program has it (EADDRINUSE)';
    if (code === 'EACCES') return 'ports below 1024 need root (EACCES)';
    throw error;
  }
}
