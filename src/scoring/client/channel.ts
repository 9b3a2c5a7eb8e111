import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { isIPv6 } from 'node:net';

import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MAX_MESSAGE_BYTES, RECONNECT_BACKOFF_MS } from './limits.js';
import { PredictError } from './predict-error.js';

/** How a server that speaks TLS is known, and the client to it. */
export interface TlsOptions {
  /** PEM of the authorities that may have signed the server's certificate; default: the public ones. */
  root?: string | undefined;
  /** Name to expect in the server's certificate when it is not the address's host. */
  serverName?: string | undefined;
  /** The client's own certificate with its key, both PEM, for a server that asks for one. */
  clientCertificate?: { cert: string; key: string } | undefined;
}

/** Where a scoring server is. */
export interface ServerOptions {
  /**
   * `host:port`, or any other name that gRPC resolves, such as `unix:/path`. Several are numbers, `10.0.0.7:8500` or
   * `[fd00::7]:8500`. Calls take turns over the addresses, also over those that a name has; one that is dead is passed over.
   */
  address: string | readonly string[];
  /** With it the connection is TLS, without it plain. */
  tls?: TlsOptions | undefined;
}

const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

/**
 * Opens a channel. It connects with the first call.
 *
 * @throws PredictError INVALID_ARGUMENT when of several addresses one is no number, or the client's certificate is unusable
 */
export function openChannel({ address, tls }: ServerOptions): Client {
  return new Client(targetOf(addressesOf(address)), credentialsOf(tls), {
    'grpc.service_config': ROUND_ROBIN,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_BACKOFF_MS.first,
    'grpc.max_reconnect_backoff_ms': RECONNECT_BACKOFF_MS.longest,
    // A connection of its own: an address may stand for another server a moment later (a forwarded port).
    'grpc.use_local_subchannel_pool': 1,
    ...(tls?.serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName }),
  });
}

/** The addresses one by one. */
export function addressesOf(address: string | readonly string[]): readonly string[] {
  return typeof address === 'string' ? [address] : address;
}

/** `host:port` in parts, `[…]` of an IPv6 number taken off; undefined for a name of another form. */
export function hostAndPort(address: string): { host: string; port: number } | undefined {
  const [, host, port] = /^\[?([^\s[\]/]+?)\]?:(\d{1,5})$/.exec(address) ?? [];
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

function targetOf(addresses: readonly string[]): string {
  const [first, ...others] = addresses;
  if (first === undefined) throw new PredictError('INVALID_ARGUMENT', 'an address is needed');
  if (others.length === 0) return first;
  const scheme = isIPv6(hostAndPort(first)?.host ?? '') ? 'ipv6' : 'ipv4';
  const isNumber = scheme === 'ipv6' ? /^\[[\da-f:.]+\]:\d+$/i : /^\d+(\.\d+){3}:\d+$/;
  const stranger = addresses.find((address) => !isNumber.test(address));
  if (stranger !== undefined) {
    const reason = `${stranger}: several addresses are numbers of one kind, such as 10.0.0.7:8500, or one name that has them all`;
    throw new PredictError('INVALID_ARGUMENT', reason);
  }
  return `${scheme}:${addresses.join(',')}`;
}

function credentialsOf(tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { root, clientCertificate: own } = tls;
  const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
  try {
    return credentials.createSsl(bytes(root), bytes(own?.key), bytes(own?.cert));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PredictError('INVALID_ARGUMENT', `authority or client certificate: ${reason}`, { cause });
  }
}
