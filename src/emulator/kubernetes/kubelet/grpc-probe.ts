import { Client, credentials, status, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { service as health } from 'grpc-health-check';
import { kubernetesVersion } from '../limits.js';
import type { ProbeResult } from './probe.js';

// The package types every method alike; what `Check` takes and gives is in grpc/health/v1/health.proto.
const check = health['Check'] as MethodDefinition<{ service: string }, { status: string }>;

/** Each probe is a connection of its own, made to the pod itself. */
const OPTIONS = {
  'grpc.primary_user_agent': `kube-probe/${kubernetesVersion}`,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
};

/**
 * Asks gRPC's health service whether a service is up; without TLS, as the kubelet does, and in its words for a failure:
 * https://github.com/kubernetes/kubernetes/blob/v1.34.1/pkg/probe/grpc/grpc.go
 * @param address host and port
 * @param timeoutSeconds for connecting and the call together
 */
export async function probeGrpc(address: string, service: string, timeoutSeconds: number): Promise<ProbeResult> {
  const client = new Client(address, credentials.createInsecure(), OPTIONS);
  const deadline = Date.now() + timeoutSeconds * 1000;
  const asked = new Promise<ProbeResult>((resolve) => {
    const fail = (reason: string) => resolve({ ok: false, reason });
    client.waitForReady(deadline, (late) => {
      if (late) {
        fail(`timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`);
        return;
      }
      const { path, requestSerialize, responseDeserialize } = check;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
        { deadline },
        (error, answer) => {
          if (error) fail(failureOf(error, timeoutSeconds));
          else if (answer?.status === 'SERVING') resolve({ ok: true });
          else fail(`service unhealthy (responded with "${answer?.status ?? 'UNKNOWN'}")`);
        },
      );
    });
  });
  return asked.finally(() => client.close());
}

function failureOf({ code, details }: ServiceError, timeoutSeconds: number): string {
  if (code === status.UNIMPLEMENTED)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`;
  if (code === status.DEADLINE_EXCEEDED) return `timeout: health rpc did not complete within ${timeoutSeconds}s`;
  return `error: health rpc probe failed: rpc error: code = ${goName(code)} desc = ${details}`;
}

/** `NotFound` for `NOT_FOUND`. */
function goName(code: status): string {
  return status[code].toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
