import { spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Processes } from '../../core/processes.js';
import { resolveInRoot } from './root-path.js';

/**
 * How containers are kept apart from the machine, best first: `chroot` with namespaces of their own as root,
 * `user-namespace` the same without being root (the container then sees itself as root), `plain` with nothing but paths
 * resolved below the root.
 */
export type Isolation = 'chroot' | 'user-namespace' | 'plain';

/** A directory of this machine that a container sees at a path of its own. */
export interface Mount {
  source: string;
  target: string;
}

export interface Sandboxed {
  /** For people who look at the list of processes that were left behind. */
  purpose: string;
  root: string;
  /** Whether only volumes can be written to; without effect in `plain`. */
  readOnlyRoot: boolean;
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  workingDirectory: string;
  user: { uid: number; gid: number };
  mounts: readonly Mount[];
}

/** Exit code that stands for a program that never ran, or was killed. */
const startErrorCode = 128;

const namespaceFlags = ['--mount', '--propagation', 'private', '--pid', '--ipc', '--fork', '--kill-child'];
const userNamespaceFlags = ['--user', '--map-root-user'];

let detected: Isolation | undefined;

/** What this machine allows, found out once. */
export function detectIsolation(): Isolation {
  return (detected ??= tryIsolations());
}

function tryIsolations(): Isolation {
  if (process.platform !== 'linux') return 'plain';
  const works = (flags: readonly string[]) =>
    spawnSync('unshare', [...flags, 'true'], { stdio: 'ignore' }).status === 0;
  if (process.getuid?.() === 0) return works(namespaceFlags) ? 'chroot' : 'plain';
  return works([...userNamespaceFlags, ...namespaceFlags]) ? 'user-namespace' : 'plain';
}

/**
 * Runs inside the new namespaces, with the machine's own tools, up to the change of root. Its arguments: the root, `ro` or `rw`,
 * the number of mounts with a source and a target each, and the last command. Programs are named by their full path because
 * the environment is already the container's. A root that cannot be made read-only (some user namespaces) stays writable.
 */
const script = `set -e
root="$1"; access="$2"; mounts="$3"; shift 3
MOUNT --bind "$root" "$root"
MOUNT -t proc proc "$root/proc"
MOUNT --rbind /sys "$root/sys" 2>/dev/null || true
MOUNT -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  MOUNT --bind "/dev/$device" "$root/dev/$device"
done
LN -s /proc/self/fd "$root/dev/fd"
LN -s /proc/self/fd/0 "$root/dev/stdin"
LN -s /proc/self/fd/1 "$root/dev/stdout"
LN -s /proc/self/fd/2 "$root/dev/stderr"
MKDIR -m 1777 "$root/dev/shm"
MOUNT -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
while [ "$mounts" -gt 0 ]; do
  MOUNT --bind "$1" "$2"
  mounts=$((mounts - 1)); shift 2
done
[ "$access" = rw ] || MOUNT -o remount,bind,ro "$root" || true
unset PWD
exec "$@"
`;

const tools = new Map<string, string>();

/** Full path of a program of this machine. */
function tool(name: string): string {
  let path = tools.get(name);
  if (path === undefined) {
    const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
    path = directories.map((directory) => join(directory, name)).find((candidate) => existsSync(candidate)) ?? name;
    tools.set(name, path);
  }
  return path;
}

/** Starts containers. */
export class Sandbox {
  constructor(
    private readonly processes: Processes,
    readonly isolation: Isolation,
  ) {}

  /** Whether containers of other users than root may share files with other pods, because they cannot write to them. */
  get canShareFiles(): boolean {
    return this.isolation === 'chroot';
  }

  /** Starts a container's process, with its output in pipes. */
  spawn(container: Sandboxed): ChildProcess {
    return this.isolation === 'plain' ? this.spawnPlain(container) : this.spawnIsolated(container);
  }

  /** Runs a command to its end in a second sandbox on the same root, with what it printed. */
  exec(container: Sandboxed, timeoutMs: number): Promise<{ exitCode: number; output: string }> {
    return new Promise((resolve) => {
      const child = this.spawn(container);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const deadline = setTimeout(() => void this.processes.stop(child, 0), timeoutMs);
      const finish = (exitCode: number) => {
        clearTimeout(deadline);
        resolve({ exitCode, output });
      };
      child.once('error', () => finish(startErrorCode));
      child.once('close', (code) => finish(code ?? startErrorCode));
    });
  }

  private spawnIsolated({
    purpose,
    root,
    readOnlyRoot,
    command,
    environment,
    workingDirectory,
    user,
    mounts,
  }: Sandboxed): ChildProcess {
    for (const path of ['proc', 'sys', 'dev']) mkdirSync(join(root, path), { recursive: true });
    const places = mounts.flatMap(({ source, target }) => {
      const place = resolveInRoot(root, target);
      makeMountPoint(source, place);
      return [source, place];
    });
    mkdirSync(resolveInRoot(root, workingDirectory), { recursive: true });
    const prepare = script
      .replaceAll('MOUNT', tool('mount'))
      .replaceAll('LN', tool('ln'))
      .replaceAll('MKDIR', tool('mkdir'));
    const asUser = this.isolation === 'chroot' ? [`--setgid=${user.gid}`, `--setuid=${user.uid}`] : [];
    const changeRoot = [tool('unshare'), `--root=${root}`, `--wd=${workingDirectory}`, ...asUser, '--', ...command];
    const flags = this.isolation === 'chroot' ? namespaceFlags : [...userNamespaceFlags, ...namespaceFlags];
    const args = [
      ...flags,
      '--',
      '/bin/sh',
      '-c',
      prepare,
      'sandbox',
      root,
      readOnlyRoot ? 'ro' : 'rw',
      String(mounts.length),
      ...places,
      ...changeRoot,
    ];
    return this.processes.spawn(purpose, tool('unshare'), args, {
      env: { ...environment },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Paths in arguments and environment that exist in the root are taken from there. */
  private spawnPlain({ purpose, root, command, environment, workingDirectory, mounts }: Sandboxed): ChildProcess {
    for (const { source, target } of mounts) {
      const place = resolveInRoot(root, target);
      mkdirSync(dirname(place), { recursive: true });
      rmSync(place, { recursive: true, force: true });
      symlinkSync(source, place);
    }
    const inRoot = (text: string) => {
      const place = text.startsWith('/') ? resolveInRoot(root, text) : text;
      return existsSync(place) ? place : text;
    };
    const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, inRoot(value)]));
    const [program = '', ...args] = command;
    return this.processes.spawn(purpose, findProgram(root, program, environment) ?? program, args.map(inRoot), {
      env,
      cwd: resolveInRoot(root, workingDirectory),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

function makeMountPoint(source: string, place: string): void {
  if (!statSync(source).isFile()) {
    mkdirSync(place, { recursive: true });
    return;
  }
  mkdirSync(dirname(place), { recursive: true });
  rmSync(place, { force: true });
  writeFileSync(place, '');
}

/** Where a program lies on this machine; undefined where the root does not have it. */
export function findProgram(
  root: string,
  program: string,
  environment: Readonly<Record<string, string>>,
): string | undefined {
  const candidates = program.includes('/')
    ? [program]
    : (environment.PATH ?? '').split(':').map((directory) => posix.join(directory, program));
  return candidates.map((path) => resolveInRoot(root, path)).find((path) => existsSync(path));
}

/** Numbers of the user that a container runs as; names are looked up in the image's own files. */
export function resolveUser(
  root: string,
  imageUser: string,
  { runAsUser, runAsGroup }: { runAsUser?: number | undefined; runAsGroup?: number | undefined },
): { uid: number; gid: number } {
  const [userName = '', groupName] = imageUser.split(':');
  const passwd = readEntries(root, '/etc/passwd');
  const group = readEntries(root, '/etc/group');
  const known = passwd.find(([name, , uid]) => name === userName || uid === userName);
  const uid = runAsUser ?? toNumber(userName) ?? toNumber(known?.[2]) ?? 0;
  const namedGroup = group.find(([name]) => name === groupName)?.[2];
  const gid = runAsGroup ?? toNumber(groupName) ?? toNumber(namedGroup) ?? toNumber(known?.[3]) ?? 0;
  return { uid, gid };
}

function readEntries(root: string, path: string): string[][] {
  const file = resolveInRoot(root, path);
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(':'))
    : [];
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
