// The lab's kernels: Linux 6.1 and 6.12 from Debian's source packages, tinyconfig plus `fragment.config`, built once
// and kept outside the repository; and 6.12 once more, with iommufd's self-test. `node build.mjs [6.1|6.12|6.12-selftest]`
// prints the folder that holds `bzImage`, `config`, `release` and `modules/`.
//
// The folder's name is a digest of the source archive, the fragment and this recipe, so a changed fragment is a new
// kernel and an unchanged one costs a second. It appears by a rename when it is whole: an interrupted build leaves none.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** 6.12 with iommufd's self-test. */
export const SELFTEST = '6.12-selftest';
/** In the order in which they came. */
export const KERNELS = ['6.1', '6.12', SELFTEST];

/** Each series, and the options of the fragment that it does not have yet: 6.2 brought IOMMUFD, 6.3 and 6.6 the rest. */
const LATER_OPTIONS = {
  6.1: ['IOMMUFD', 'VFIO_GROUP', 'VFIO_CONTAINER', 'VFIO_DEVICE_CDEV'],
  6.12: [],
  [SELFTEST]: [],
};
/**
 * Only the agent runs on 6.1 and on the self-test's: no Node, no disk and no file system but its own. What serves those
 * alone takes a third of the time that the rest takes to build.
 */
const OF_NODE = [
  ...['INET', 'BLOCK', 'BLK_DEV', 'VIRTIO_BLK', 'BLK_DEV_NVME', 'SWAP', 'EXT4_FS', 'HUGETLBFS', 'IGB'],
  ...['NET_9P', 'NET_9P_VIRTIO', 'NETWORK_FILESYSTEMS', '9P_FS', 'OVERLAY_FS'],
  ...['VIRTIO_NET', 'VIRTIO_IOMMU'],
  ...['IO_URING', 'AIO', 'INOTIFY_USER', 'UNIX98_PTYS', 'SIGNALFD', 'TIMERFD', 'MEMBARRIER', 'RSEQ'],
];
/** The self-test brings devices of its own: neither VFIO nor anybody else's driver is there. */
const OF_DEVICES = [
  ...['VFIO', 'VFIO_GROUP', 'VFIO_CONTAINER', 'VFIO_NOIOMMU', 'VFIO_DEVICE_CDEV', 'VFIO_IOMMU_TYPE1'],
  ...['VFIO_PCI', 'VIRTUALIZATION', 'KVM', 'KVM_AMD', 'PCI_IOV', 'PCI_STUB', 'PCIEPORTBUS', 'HOTPLUG_PCI'],
  ...['HOTPLUG_PCI_PCIE', 'NETDEVICES', 'ETHERNET', 'NET_VENDOR_INTEL', 'E1000E', 'IRQ_REMAP'],
];
const LEFT_OUT = { 6.1: OF_NODE, 6.12: [], [SELFTEST]: [...OF_NODE, ...OF_DEVICES] };
/**
 * IOMMUFD_TEST and what it depends on, and queues of page faults, which the shared virtual memory of Intel's IOMMU brings.
 * A kernel of its own, because it is seen by who does not ask for it: /sys/class/iommu has a unit on every machine, and
 * IOAS_COPY knows a flag more.
 */
const ADDED = {
  [SELFTEST]: [
    ...['DEBUG_KERNEL', 'FAULT_INJECTION', 'RUNTIME_TESTING_MENU', 'IOMMUFD_TEST'],
    'INTEL_IOMMU_SVM',
  ],
};

const RECIPE = 1;
const FRAGMENT = fileURLToPath(new URL('fragment.config', import.meta.url));

const sourceOf = (series) => `/usr/src/linux-source-${releaseOf(series)}.tar.xz`;
const releaseOf = (series) => series.split('-')[0];

/** Command or file that must exist, and the Debian package that has it. */
const needs = (series) => [
  [sourceOf(series), `linux-source-${releaseOf(series)}`],
  ['make', 'make'],
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
  ['flex', 'flex'],
  ['bison', 'bison'],
  ['bc', 'bc'],
  ['perl', 'perl'],
  ['cpio', 'cpio'],
  ['tar', 'tar'],
  ['xz', 'xz-utils'],
  ['depmod', 'kmod'],
  ['/usr/include/libelf.h', 'libelf-dev'],
  ['/usr/include/openssl/ssl.h', 'libssl-dev'],
];

/** The lab's cache folder: kernels that were built. Never inside the repository. */
function labCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.VFIOPLAN_LAB_CACHE || join(base, 'vfioplan', 'lab');
}

/** Debian packages that are missing, in order, without repeats. `needs` pairs a command or absolute path with its package. */
export function missingPackages(needs) {
  const missing = needs.filter(([what]) => !present(what)).map(([, name]) => name);
  return [...new Set(missing)];
}

function present(what) {
  if (what.startsWith('/')) return existsSync(what);
  // Daemons and kmod live in sbin, which a user's PATH may lack.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, what), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The folder of the built kernel, building it when the cache has none. `say` gets a line of progress now and then.
 * Throws an Error whose message is for a person: what to install, or the end of the compiler's output.
 */
export async function kernel(series, say) {
  if (!existsSync(sourceOf(series))) throw new Error(install(missingPackages(needs(series))));
  const key = await digest(series);
  const folder = join(labCache(), `linux-${series}-${key}`);
  if (existsSync(folder)) return folder;
  const missing = missingPackages(needs(series));
  if (missing.length > 0) throw new Error(install(missing));
  mkdirSync(labCache(), { recursive: true });
  const work = mkdtempSync(join(labCache(), 'build-'));
  try {
    return await build(series, work, folder, (line) => say(`${series}: ${line}`));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export function install(packages) {
  return `the lab needs what is not installed here; on Debian:\n  apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/** What the series has beyond tinyconfig. */
function fragment(series) {
  const left = new Set(LEFT_OUT[series].map((name) => `CONFIG_${name}`));
  const lines = readFileSync(FRAGMENT, 'utf8').split('\n');
  const added = (ADDED[series] ?? []).map((name) => `CONFIG_${name}=y\n`);
  return lines.filter((line) => !left.has(line.split('=')[0])).join('\n') + added.join('');
}

async function digest(series) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(sourceOf(series)), hash, { end: false });
  hash.update(fragment(series)).update(`recipe ${RECIPE}`);
  return hash.digest('hex').slice(0, 16);
}

async function build(series, work, folder, say) {
  const log = join(work, 'log');
  const tree = join(work, 'tree');
  const out = join(work, 'out');
  mkdirSync(tree);
  mkdirSync(out);
  const run = (what, command, args) => logged(log, say, what, command, args, tree);
  await run('unpacking the source', 'tar', ['-xJf', sourceOf(series), '--strip-components=1', '-C', tree]);
  await run('configuring', 'make', ['tinyconfig']);
  writeFileSync(join(work, 'fragment'), fragment(series));
  await run('configuring', 'scripts/kconfig/merge_config.sh', ['-m', '.config', join(work, 'fragment')]);
  await run('configuring', 'make', ['olddefconfig']);
  refuseDroppedOptions(series, readFileSync(join(tree, '.config'), 'utf8'));
  const jobs = `-j${availableParallelism()}`;
  await run('compiling (about 8 minutes on two cores)', 'make', [jobs, 'bzImage', 'modules']);
  await run('installing the modules', 'make', ['modules_install', `INSTALL_MOD_PATH=${out}`]);
  const release = execFileSync('make', ['-s', 'kernelrelease'], { cwd: tree, encoding: 'utf8' }).trim();
  for (const link of ['build', 'source']) rmSync(join(out, 'lib/modules', release, link), { force: true });
  renameSync(join(out, 'lib/modules', release), join(out, 'modules'));
  rmSync(join(out, 'lib'), { recursive: true });
  renameSync(join(tree, 'arch/x86/boot/bzImage'), join(out, 'bzImage'));
  renameSync(join(tree, '.config'), join(out, 'config'));
  writeFileSync(join(out, 'release'), `${release}\n`);
  // Another run may have finished first; its result is the same.
  if (!existsSync(folder)) renameSync(out, folder);
  return folder;
}

/** olddefconfig drops an option silently when a dependency is missing; a lab without that option would test less than it says. */
function refuseDroppedOptions(series, config) {
  const got = new Set(config.split('\n'));
  const later = new Set(LATER_OPTIONS[series].map((name) => `CONFIG_${name}`));
  const wanted = fragment(series)
    .split('\n')
    .filter((line) => /^CONFIG_\w+=[ym]$/.test(line) && !later.has(line.split('=')[0]));
  const dropped = wanted.filter((line) => !got.has(line));
  if (dropped.length > 0) throw new Error(`the kernel's configuration dropped: ${dropped.join(', ')}`);
}

/** Runs one command with its output in the log; rejects with the log's last lines. */
async function logged(log, say, what, command, args, cwd) {
  say(`kernel: ${what}`);
  const stream = createWriteStream(log, { flags: 'a' });
  const env = { ...process.env, KBUILD_BUILD_USER: 'lab', KBUILD_BUILD_HOST: 'lab', LC_ALL: 'C' };
  const started = Date.now();
  const ticking = setInterval(
    () => say(`kernel: ${what}: ${Math.round((Date.now() - started) / 1000)} s`),
    60_000,
  );
  try {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(stream, { end: false });
    child.stderr.pipe(stream, { end: false });
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    await new Promise((resolve) => stream.end(resolve));
    if (code === 0) return;
    const tail = readFileSync(log, 'utf8').split('\n').slice(-30).join('\n');
    throw new Error(`kernel: ${what} failed (${command} ended with ${code}); the last lines were:\n${tail}`);
  } finally {
    clearInterval(ticking);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const [series = '6.12'] = process.argv.slice(2);
    if (!KERNELS.includes(series)) throw new Error(`no kernel ${series} here: ${KERNELS.join(', ')}`);
    process.stdout.write(`${await kernel(series, (line) => process.stderr.write(`${line}\n`))}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
