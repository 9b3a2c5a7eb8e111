import { experimental, Server, ServerCredentials, status } from '@grpc/grpc-js';

import { requireKey, type ScoringKeys } from './authentication.js';
import type { Certificates } from './certificates.js';
import type { Config } from './config.js';
import { addServices, type GrpcServicesOptions } from './grpc-services.js';
import { widenCallWindow, widenConnectionWindow } from './http2-windows.js';
import {
  CALL_WINDOW_BYTES,
  CONNECTION_AGE_GRACE_MS,
  CONNECTION_WINDOW_BYTES,
  MAX_CALLS_PER_CONNECTION,
  MAX_MESSAGE_BYTES,
} from './limits.js';

export interface GrpcPortOptions extends GrpcServicesOptions {
  config: Config;
  keys: ScoringKeys | undefined;
  certificates: Certificates | undefined;
}

/** The port that answers gRPC. */
export interface GrpcPort {
  port: number;
  /** Answers health checks with NOT_SERVING from now on. */
  stopServing(): void;
  /** Takes no more connections and calls; calls in flight have `graceMs` to finish. */
  close(graceMs: number): Promise<void>;
}

/** @throws Error when the port is taken */
export async function openGrpcPort(options: GrpcPortOptions): Promise<GrpcPort> {
  const { config, keys, certificates, metrics, log } = options;
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_connection_age_ms': config.maxConnectionAgeSeconds * 1000,
    'grpc.max_connection_age_grace_ms': CONNECTION_AGE_GRACE_MS,
    'grpc.max_concurrent_streams': MAX_CALLS_PER_CONNECTION,
    interceptors: keys ? [requireKey(keys, () => metrics.countRejection(status.UNAUTHENTICATED))] : [],
  });
  const services = addServices(server, options);
  widenCallWindow(server, CALL_WINDOW_BYTES);
  const port = await bind(server, config, credentialsOf(certificates));
  widenConnectionWindow(server, CONNECTION_WINDOW_BYTES);
  const close = async (graceMs: number) => {
    const impatience = setTimeout(() => {
      log.warn('calls in flight did not finish in the drain time and are dropped');
      server.forceShutdown();
    }, graceMs);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    clearTimeout(impatience);
  };
  return { port, stopServing: () => services.stopServing(), close };
}

function credentialsOf(certificates: Certificates | undefined): ServerCredentials {
  if (!certificates) return ServerCredentials.createInsecure();
  const clients = certificates.wantsClientCertificate ? certificates : null;
  // The certificate comes first and the clients' authority second, whatever the parameters are called.
  return experimental.createCertificateProviderServerCredentials(certificates, clients, clients !== null);
}

function bind(server: Server, { host, grpcPort }: Config, credentials: ServerCredentials): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${grpcPort}` : `${host}:${grpcPort}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}
