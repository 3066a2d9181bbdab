import { existsSync } from 'node:fs';
import { release } from 'node:os';
import type { Machine } from './machine.ts';

/**
 * The machine that this process runs on. What reads it and what acts on it are loaded when they are needed.
 * `environment` is the process's: a session over SSH is a way in to the machine.
 */
export function thisMachine(environment: Readonly<Record<string, string | undefined>>): Machine {
  return {
    read: async (sysroot) => {
      if (sysroot !== undefined && !existsSync(sysroot)) return null;
      const [{ probe }, { liveFiles, sysrootFiles }] = await Promise.all([
        import('../probe/probe.ts'),
        import('../probe/files.ts'),
      ]);
      if (sysroot !== undefined) return probe(sysrootFiles(sysroot));
      const connection = environment['SSH_CONNECTION'];
      return probe(liveFiles(), connection === undefined ? {} : { sshConnection: connection });
    },
    obstacle: async () => {
      const { NativeUnavailable, nativeObstacle } = await import('../linux/obstacles.ts');
      const kind = nativeObstacle(release());
      if (kind !== null) return kind;
      try {
        await backend();
        return null;
      } catch (error) {
        if (error instanceof NativeUnavailable) return error.obstacle;
        throw error;
      }
    },
    backend,
  };
}

async function backend(): ReturnType<Machine['backend']> {
  const { linuxBackend } = await import('../linux/linux.ts');
  return linuxBackend();
}
