import type { IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import type { Container, Probe } from '../objects/pod.js';
import type { IntOrString } from '../objects/metadata.js';
import { dialFailure } from './dial-failure.js';

/** What one probe came to; the reason of a failure is for people. */
export type ProbeResult = { ok: true } | { ok: false; reason: string };

/** Runs a command inside the container and gives its exit code and output. */
export type Exec = (command: readonly string[], timeoutMs: number) => Promise<{ exitCode: number; output: string }>;

/** Characters of a response that a failure shows, as in the kubelet. */
const shownBody = 1024;

function portNumber(port: IntOrString, container: Container): number {
  if (typeof port === 'number') return port;
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? 0;
}

function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => finish({ ok: false, reason: `dial tcp ${host}:${port}: i/o timeout` }));
    socket.once('connect', () => finish({ ok: true }));
    socket.once('error', (error) => finish({ ok: false, reason: dialFailure(error, host, port) }));
  });
}

async function readStart(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length >= shownBody) break;
  }
  return body.slice(0, shownBody);
}

function probeHttp(url: URL, headers: [string, string][], timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    // Probes do not verify certificates, as in the kubelet.
    const options = {
      headers: Object.fromEntries(headers),
      timeout: timeoutMs,
      agent: false,
      rejectUnauthorized: false,
    };
    const fail = (error: Error) => resolve({ ok: false, reason: `Get "${url.href}": ${error.message}` });
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = send(url, options, (response) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 400) {
        response.resume();
        resolve({ ok: true });
        return;
      }
      const describe = (body: string) =>
        `HTTP probe failed with statuscode: ${statusCode}${body && ` (${body.trim()})`}`;
      readStart(response).then((body) => resolve({ ok: false, reason: describe(body) }), fail);
    });
    const deadline = setTimeout(() => outgoing.destroy(new Error('context deadline exceeded')), timeoutMs);
    outgoing.once('close', () => clearTimeout(deadline));
    outgoing.once('error', fail);
    outgoing.end();
  });
}

/** Runs a probe once against a container at its pod's address. */
export async function runProbe(probe: Probe, container: Container, podIP: string, exec: Exec): Promise<ProbeResult> {
  const timeoutMs = probe.timeoutSeconds * 1000;
  const { httpGet, tcpSocket, grpc, exec: command } = probe;
  if (httpGet !== undefined) {
    const host = httpGet.host ?? podIP;
    const url = new URL(`${httpGet.scheme.toLowerCase()}://${host}:${portNumber(httpGet.port, container)}`);
    const [path = '/', query] = httpGet.path.split('?');
    url.pathname = path;
    if (query !== undefined) url.search = query;
    return probeHttp(
      url,
      (httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value]),
      timeoutMs,
    );
  }
  if (command !== undefined) {
    const { exitCode, output } = await exec(command.command, timeoutMs);
    return exitCode === 0 ? { ok: true } : { ok: false, reason: output.trim() || `command exited with ${exitCode}` };
  }
  if (grpc !== undefined) {
    // gRPC is big to load, and few probes use it.
    const { probeGrpc } = await import('./grpc-probe.js');
    return probeGrpc(`${podIP}:${grpc.port}`, grpc.service ?? '', probe.timeoutSeconds);
  }
  return probeTcp(tcpSocket?.host ?? podIP, portNumber(tcpSocket?.port ?? 0, container), timeoutMs);
}
