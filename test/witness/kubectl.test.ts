import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type TestEmulator } from '../fixtures/emulator.js';
import { installed, PROGRAMS } from '../fixtures/witnesses.js';
import { createCluster, deployment, get, grantPull, kubeConfig, pushPodImage, until } from '../fixtures/kubernetes.js';

let emulator: TestEmulator;
let directory: string;

/** How kubectl is run: it finds the manifests of the test in its directory. */
function options(environment: NodeJS.ProcessEnv) {
  const env = {
    ...process.env,
    PATH: PROGRAMS,
    KUBECONFIG: join(directory, 'config'),
    HOME: directory,
    ...environment,
  };
  return { cwd: directory, env };
}

/** Runs kubectl to its end; gives what it prints. */
async function kubectl(line: string): Promise<string> {
  const result = promisify(execFile)('kubectl', line.split(' '), options({}));
  const { stdout, stderr } = await result.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

/** Runs `kubectl port-forward` while `use` has the port that it listens on, and what it prints; gives what it printed. */
async function forwarding(
  line: string,
  use: (port: number, printed: () => string) => Promise<unknown>,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn('kubectl', ['port-forward', ...line.split(' ')], options(environment));
  const closed = once(child, 'close');
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (printed += String(data)));
  try {
    const listens = /^Forwarding from 127\.0\.0\.1:(\d+) -> /m;
    const port = await until(
      'kubectl to listen',
      () => listens.exec(printed)?.[1] ?? (child.exitCode !== null && 'none'),
    );
    expect(printed).toMatch(listens);
    await use(Number(port), () => printed);
  } finally {
    child.kill();
    await closed;
  }
  return printed;
}

const manifests = (image: string) => ({
  'web.json': deployment('web', image, { replicas: 2 }),
  'new.json': deployment('web', image, { replicas: 2, env: { VERSION: '2' } }),
  'service.json': {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 8500, targetPort: 'http' }] },
  },
  'settings.json': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'blue' } },
  'misspelt.json': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'misspelt' }, dta: { colour: 'blue' } },
});

beforeAll(async () => {
  [emulator, directory] = await Promise.all([startEmulator(), mkdtemp(join(tmpdir(), 'slipway-kubectl-'))]);
  const [image] = await Promise.all([pushPodImage(emulator, 'slipway/kubectl'), createCluster(emulator, 'kubectl')]);
  await grantPull(emulator, 'kubectl');
  await writeFile(join(directory, 'config'), (await kubeConfig(emulator, 'kubectl')).exportConfig());
  for (const [file, manifest] of Object.entries(manifests(image)))
    await writeFile(join(directory, file), JSON.stringify(manifest));
});
afterAll(async () => {
  await emulator?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(!installed.kubectl)('kubectl port-forward', () => {
  beforeAll(async () => {
    for (const file of ['web.json', 'service.json']) await kubectl(`create -f ${file}`);
    await kubectl('rollout status deployment/web --timeout=60s');
  });
  afterAll(async () => {
    await kubectl('delete deployment,service web');
    await kubectl('wait --for=delete pod -l app=web --timeout=60s');
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['deployment/web :8080', {}],
    ['service/web :8500', {}],
    ['deployment/web :http', { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
  ])('%s, several connections at once, %o', async (line, environment) => {
    const answers = (port: number) => Promise.all(Array.from({ length: 5 }, () => get('127.0.0.1', port, '/version')));
    const printed = await forwarding(
      line,
      async (port) => {
        for (const { body } of await answers(port)) expect(body).toBe('1');
        expect(await get('127.0.0.1', port, '/large')).toMatchObject({ body: 'x'.repeat(5_000_000) });
      },
      environment,
    );
    expect(printed).not.toContain('error');
  });

  it('says that nothing listens on a port, and ends', async () => {
    const printed = await forwarding('deployment/web :81', async (port, soFar) => {
      await expect(get('127.0.0.1', port, '/version')).rejects.toThrow();
      await until('kubectl to say so', () => soFar().includes('error: lost connection to pod'));
    });
    expect(printed).toMatch(
      /error forwarding port 81 to pod web-\S+, uid : dial tcp 127\S+:81: connect: connection refused/,
    );
  });
});

// In order: each finds what those before it left.
describe.skipIf(!installed.kubectl)('kubectl', () => {
  it.each<[string, RegExp | RegExp[]]>([
    ['create namespace made', /^namespace\/made created$/m],
    ['create configmap made -n made --from-literal=colour=blue', /^configmap\/made created$/m],
    ['get configmap made -n made -o jsonpath={.data}', /^{"colour":"blue"}$/],
    ['create secret generic made -n made --from-literal=word=open', /^secret\/made created$/m],
    ['get secret made -n made -o jsonpath={.type},{.data}', /^Opaque,{"word":"b3Blbg=="}$/],
    ['create service clusterip made -n made --tcp=80:http', /^service\/made created$/m],
    ['get service made -n made -o jsonpath={.spec.ports[0]}', /"port":80,.*"targetPort":"http"/],
    ['create deployment made -n made --image=none --replicas=0 --port=80', /^deployment\.apps\/made created$/m],
    ['get deployment made -n made -o jsonpath={.spec.replicas},{.spec.template.spec.containers[0].ports}', /^0,.*80/],
    ['create deployment made -n made --image=none', /deployments\.apps "made" already exists$/m],
    ['delete namespace made', /^namespace "made" deleted/m],
    ['get nodes', [/^NAME +STATUS +ROLES +AGE +VERSION$/m, / Ready +<none> +\d+s +v1\.\d+/]],
    ['create -f settings.json', /^configmap\/settings created$/m],
    ['get configmap settings', /^settings +1 +\d+s$/m],
    ['apply -f web.json', /^deployment\.apps\/web created$/m],
    ['rollout status deployment/web --timeout=60s', /^deployment "web" successfully rolled out$/m],
    ['apply -f web.json', /^deployment\.apps\/web unchanged$/m],
    ['get deployments', [/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$/m, /^web +2\/2 +2 +2 +\S+$/m]],
    ['get pods -l app=web', /(^web-\S+ +1\/1 +Running +0 +\S+\n?){2}/m],
    ['get all', [/^pod\/web-/m, /^deployment\.apps\/web /m, /^replicaset\.apps\/web-/m]],
    ['apply -f service.json', /^service\/web created$/m],
    ['wait --for=jsonpath={.status.loadBalancer.ingress} service/web --timeout=60s', /^service\/web condition met$/m],
    ['get service web', /^web +LoadBalancer +10\.\S+ +127\.\S+ +8500:\d+\/TCP +\S+$/m],
    ['describe service web', [/^Type: +LoadBalancer$/m, /^Endpoints: +127\.\S+:8080,127\.\S+:8080$/m]],
    ['describe deployment web', [/2 desired \| 2 updated \| 2 total \| 2 available/, /Scaled up replica set web-\S+/]],
    [
      'describe pod -l app=web',
      [/^Status: +Running$/m, /Readiness: +http-get http:\/\/:http\/ready/, /Started +.*server/],
    ],
    ['logs deployment/web', /version 1 listens on/],
    ['diff -f new.json', /^\+ +- name: VERSION$/m],
    ['apply -f new.json', /^deployment\.apps\/web configured$/m],
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
    ['rollout history deployment/web', /^1 .*\n2 /m],
    ['rollout undo deployment/web', /^deployment\.apps\/web rolled back$/m],
    ['rollout restart deployment/web', /^deployment\.apps\/web restarted$/m],
    ['rollout status deployment/web --timeout=60s', /successfully rolled out/],
    ['scale deployment/web --replicas=1', /^deployment\.apps\/web scaled$/m],
    ['wait --for=jsonpath={.status.replicas}=1 deployment/web --timeout=60s', /condition met/],
    ['label deployment web tier=front', /^deployment\.apps\/web labeled$/m],
    ['get deployments -l tier=front -o name', /^deployment\.apps\/web$/m],
    ['explain deployment.spec.strategy', /^ +type\t<string>/m],
    ['create -f misspelt.json', /strict decoding error: unknown field "dta"/],
    ['create -f misspelt.json --validate=warn', /Warning: unknown field "dta"/],
    ['get configmap absent', /^Error from server \(NotFound\): configmaps "absent" not found$/m],
    ['get ingresses', /the server doesn't have a resource type "ingresses"/],
    ['apply --server-side -f settings.json', /Server-side apply not available on the server/],
    ['get events --field-selector involvedObject.name=web', /Normal +ScalingReplicaSet +deployment\/web/],
    ['delete deployment,service,configmap --all', /^deployment\.apps "web" deleted/m],
    ['wait --for=delete pod -l app=web --timeout=60s', /^$|condition met/],
    ['get pods', /^No resources found in default namespace\.$/m],
  ])('%s', async (line, expected) => {
    const printed = await kubectl(line);
    for (const each of [expected].flat()) expect(printed).toMatch(each);
  });
});
