import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../../runtime/cli/run.ts';
import { inFolder, ioWith, vfioplan } from './world.ts';

interface Reply {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** A request as written: fetch() would tidy the path. */
function get(port: number, path: string, options: { method?: string; host?: string } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { host: options.host ?? `127.0.0.1:${port}` };
    request({ port, path, host: '127.0.0.1', method: options.method ?? 'GET', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}

/** A program folder with an editor beside it, and a file that no request may reach. */
function siteIn(folder: string): URL {
  mkdirSync(join(folder, 'editor/dist/assets'), { recursive: true });
  mkdirSync(join(folder, 'program'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'editor/dist/index.html'), '<!doctype html><title>editor</title>');
  writeFileSync(join(folder, 'editor/dist/assets/a.js'), 'export {};');
  writeFileSync(join(folder, 'editor/dist/assets/m.wasm'), '');
  symlinkSync('../../../secret.txt', join(folder, 'editor/dist/assets/link.js'));
  return pathToFileURL(`${join(folder, 'program')}/`);
}

/** Serves while `use` runs. */
async function serving(home: URL, use: (port: number) => Promise<void>): Promise<number> {
  let end: () => void = () => {};
  const interrupted = new Promise<void>((resolve) => {
    end = resolve;
  });
  let said: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    said = resolve;
  });
  const io = ioWith({
    stdout: { isTerminal: false, write: (text) => said(Number(/:(\d+)\/\n$/.exec(text)?.[1])) },
    home,
    interrupted: () => interrupted,
  });
  const ended = run(['editor', '--port', '0'], io);
  try {
    await use(await port);
  } finally {
    end();
  }
  return ended;
}

test('serves its own files, with their types and a strict policy', () =>
  inFolder(async (folder) => {
    const code = await serving(siteIn(folder), async (port) => {
      const page = await get(port, '/');
      expect(page).toMatchObject({ status: 200, text: '<!doctype html><title>editor</title>' });
      expect(page.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'x-content-type-options': 'nosniff',
      });
      expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /);
      expect(String(page.headers['content-security-policy'])).not.toContain('eval');
      const script = await get(port, '/assets/a.js?v=1');
      expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
      expect((await get(port, '/assets/m.wasm')).headers['content-type']).toBe('application/wasm');
      expect(await get(port, '/', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    });
    expect(code).toBe(0);
  }));

test('reaches no other file, and answers no other site', () =>
  inFolder(async (folder) => {
    await serving(siteIn(folder), async (port) => {
      for (const path of [
        '/../../secret.txt',
        '/assets/../../../secret.txt',
        '/%2e%2e/%2e%2e/secret.txt',
        '/..%2f..%2fsecret.txt',
        '/assets/link.js',
        '//secret.txt',
        '/%00',
        `${folder}/secret.txt`,
        '/assets/',
      ]) {
        const reply = await get(port, path);
        expect(reply.status, path).toBe(404);
        expect(reply.text).not.toContain('secret');
        expect(reply.headers['content-security-policy']).toBeDefined();
      }
      expect((await get(port, '/', { method: 'POST' })).status).toBe(405);
      expect((await get(port, '/', { host: 'evil.example' })).status).toBe(403);
    });
  }));

test('an editor that is not built is refused', async () => {
  const { code, err } = await vfioplan(['editor'], { home: new URL('file:///nonexistent/program/') });
  expect(code).toBe(1);
  expect(err).toContain('error[VP6903]');
});

test('a port that another program has is refused', () =>
  inFolder(async (folder) => {
    const home = siteIn(folder);
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await vfioplan(['editor', '--port', String(port)], { home });
    other.close();
    expect(code).toBe(1);
    expect(err).toContain('error[VP6904]');
    expect(err).toContain('--port 0');
  }));
