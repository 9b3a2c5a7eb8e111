import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type PeerCertificate } from 'node:tls';

import { CONNECTION_ERRORS } from '../../deployment/connection-errors.js';
import { hostAndPort, type TlsOptions } from './channel.js';
import { PROBE_TIMEOUT_MS } from './limits.js';

/** What keeps a client from talking to a server. */
export type ProblemKind =
  /** No TCP connection is made. */
  | 'unreachable'
  /** The server speaks TLS, the client does not. */
  | 'tls-expected'
  /** The client speaks TLS, the server does not. */
  | 'tls-not-spoken'
  /** The server's certificate is not of the authority that the client trusts, or not valid now. */
  | 'certificate-not-trusted'
  /** The server's certificate is for other names. */
  | 'certificate-of-another-name'
  /** The server asks for a certificate of the client's, or for another one. */
  | 'client-certificate-refused';

/** Why there is no connection. */
export interface ConnectionProblem {
  readonly kind: ProblemKind;
  /** In words, without the address. */
  readonly message: string;
  /** Whether another attempt meets the same. */
  readonly lasting: boolean;
}

/** With what an HTTP/2 client begins (RFC 9113, 3.4), and settings of which none differs from the default. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
/** First byte of a TLS alert, which is how a TLS server answers what is no handshake. */
const TLS_ALERT = 0x15;
const REFUSED_BY_CLIENT = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH)/;
const REFUSED_BY_SERVER =
  /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)|CERTIFICATE_REQUIRED/;

/**
 * Finds out why gRPC has no connection, by making one: gRPC itself says little, and the same for different causes.
 *
 * @param address `host:port`; nothing is known of any other form
 * @returns undefined when a connection is made, or fails in a way that has no name here
 */
export async function connectionProblem(
  address: string,
  tls: TlsOptions | undefined,
): Promise<ConnectionProblem | undefined> {
  const place = hostAndPort(address);
  if (place === undefined) return undefined;
  return tls === undefined ? plainProblem(place) : tlsProblem(place, tls);
}

type Place = NonNullable<ReturnType<typeof hostAndPort>>;

/** How a server took an HTTP/2 preface. */
interface Reply {
  /** Whether the connection was made, with TLS its handshake included as far as the client sees it. */
  readonly connected: boolean;
  /** Its first bytes; none when it closed or did not answer. */
  readonly bytes: Buffer;
  readonly error: NodeJS.ErrnoException | undefined;
}

async function plainProblem(place: Place): Promise<ConnectionProblem | undefined> {
  const reply = await ask(connectPlain(place), 'connect');
  if (!reply.connected) return unreachable(reply);
  if (speaksPlain(reply)) return undefined;
  // Closed without a word: many TLS servers do that to what is no handshake.
  const secured = await ask(handshake(place, { rejectUnauthorized: false }), 'secureConnect');
  if (!secured.connected && !REFUSED_BY_SERVER.test(codeOf(secured))) return undefined;
  return lasting('tls-expected', 'the server speaks TLS, and was spoken to without');
}

async function tlsProblem(place: Place, tls: TlsOptions): Promise<ConnectionProblem | undefined> {
  const { root, serverName, clientCertificate } = tls;
  const socket = handshake(place, { ...(root && { ca: root }), ...clientCertificate }, serverName);
  const reply = await ask(socket, 'secureConnect');
  const code = codeOf(reply);
  if (reply.bytes.length > 0 || code === 'ETIMEDOUT') return reply.connected ? undefined : unreachable(reply);
  // With TLS 1.3 a client learns only after its handshake that its certificate was refused, from some servers by a closed door.
  if (reply.connected || REFUSED_BY_SERVER.test(code)) {
    const how = clientCertificate === undefined ? 'asks for a client certificate' : 'refuses the client certificate';
    return lasting('client-certificate-refused', `the server ${how}`);
  }
  const { message } = reply.error ?? {};
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const reason = `its certificate is for ${namesOf(reply)}, and not for ${serverName ?? place.host}`;
    return lasting('certificate-of-another-name', reason);
  }
  if (REFUSED_BY_CLIENT.test(code)) return lasting('certificate-not-trusted', `${message} (${code})`);
  if (CONNECTION_ERRORS.has(code)) return unreachable(reply);
  if (!speaksPlain(await ask(connectPlain(place), 'connect'))) return undefined;
  return lasting('tls-not-spoken', 'the server speaks no TLS, and was spoken to with it');
}

/** Sends the preface once a connection is made, and waits for the first bytes, the end, or the end of patience. */
async function ask(socket: Socket, connectedBy: 'connect' | 'secureConnect'): Promise<Reply> {
  let connected = false;
  let error: NodeJS.ErrnoException | undefined;
  socket.on(connectedBy, () => {
    connected = true;
    socket.write(HTTP2_PREFACE);
  });
  socket.setTimeout(PROBE_TIMEOUT_MS, () =>
    socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
  );
  try {
    const bytes = await new Promise<Buffer>((resolve) => {
      socket.on('error', (cause) => (error ??= cause));
      socket.once('data', resolve);
      socket.once('close', () => resolve(Buffer.alloc(0)));
    });
    return { connected, bytes, error };
  } finally {
    socket.destroy();
  }
}

function handshake(place: Place, options: ConnectionOptions, serverName = place.host): Socket {
  // A number is no name to ask a server for; its certificate is checked against it all the same.
  const name = isIP(serverName) === 0 ? { servername: serverName } : {};
  return connectTls({ ...place, ...name, ...options, ALPNProtocols: ['h2'] });
}

/** HTTP/2 begins with settings; whatever it is, it is no TLS. */
function speaksPlain({ bytes }: Reply): boolean {
  return bytes.length > 0 && bytes[0] !== TLS_ALERT;
}

/** The names of a certificate that was refused for them. */
function namesOf({ error }: Reply): string {
  // Node gives the certificate with this error alone, and its types leave that out.
  const { cert } = error as { cert?: PeerCertificate };
  return cert?.subjectaltname ?? 'no name';
}

function unreachable(reply: Reply): ConnectionProblem {
  const code = codeOf(reply);
  const message = `${CONNECTION_ERRORS.get(code) ?? 'no connection is made'} (${code})`;
  return { kind: 'unreachable', message, lasting: code === 'ENOTFOUND' };
}

function lasting(kind: ProblemKind, message: string): ConnectionProblem {
  return { kind, message, lasting: true };
}

function codeOf({ error }: Reply): string {
  return error?.code ?? error?.message ?? 'closed';
}
