import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { rootCertificates } from 'node:tls';
import { z } from 'zod';
import { registryTimeoutMs } from '../limits.js';

const exchangeAnswer = z.object({ refresh_token: z.string() });
const tokenAnswer = z.object({ access_token: z.string() });

/** A response that is not a success; the message is the registry's. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Reads blobs and manifests of one repository, signing in with an Entra ID token as Azure's registries want it. */
export class RegistryClient {
  private readonly agent: Agent;
  private accessToken: string | undefined;

  /**
   * @param entraToken makes a token for the identity that pulls
   * @param ca certificate authority to trust beside the public ones, PEM
   */
  constructor(
    private readonly registry: string,
    private readonly repository: string,
    private readonly entraToken: () => string,
    ca: string,
  ) {
    this.agent = new Agent({ keepAlive: true, ca: [ca, ...rootCertificates] });
  }

  /**
   * Gets `/v2/REPOSITORY/PATH`, following at most one redirect.
   * @throws RegistryError for an answer that is no success
   */
  async get(path: string, accept: string): Promise<IncomingMessage> {
    const url = new URL(`https://${this.registry}/v2/${this.repository}/${path}`);
    let response = await this.send('GET', url, { accept, ...this.authorization() });
    if (response.statusCode === 401 && this.accessToken === undefined) {
      const challenge = response.headers['www-authenticate'] ?? '';
      response.resume();
      this.accessToken = await this.signIn(challenge);
      response = await this.send('GET', url, { accept, ...this.authorization() });
    }
    const { location } = response.headers;
    if (response.statusCode === 307 && location !== undefined) {
      response.resume();
      response = await this.send('GET', new URL(location, url), {});
    }
    return succeeded(response, url);
  }

  close(): void {
    this.agent.destroy();
  }

  private authorization(): OutgoingHttpHeaders {
    return this.accessToken === undefined ? {} : { authorization: `Bearer ${this.accessToken}` };
  }

  /** Entra ID token → the registry's refresh token → an access token for this repository. */
  private async signIn(challenge: string): Promise<string> {
    const service = /service="([^"]+)"/.exec(challenge)?.[1] ?? this.registry;
    const scope = /scope="([^"]+)"/.exec(challenge)?.[1] ?? `repository:${this.repository}:pull`;
    const exchanged = await this.post('exchange', {
      grant_type: 'access_token',
      service,
      access_token: this.entraToken(),
    });
    const { refresh_token: refreshToken } = exchangeAnswer.parse(exchanged);
    const granted = await this.post('token', {
      grant_type: 'refresh_token',
      service,
      scope,
      refresh_token: refreshToken,
    });
    return tokenAnswer.parse(granted).access_token;
  }

  private async post(endpoint: 'exchange' | 'token', form: Record<string, string>): Promise<unknown> {
    const url = new URL(`https://${this.registry}/oauth2/${endpoint}`);
    const body = new URLSearchParams(form).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
    const response = await succeeded(await this.send('POST', url, headers, body), url);
    return JSON.parse(await text(response));
  }

  private send(method: string, url: URL, headers: OutgoingHttpHeaders, body?: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.agent }, resolve);
      outgoing.setTimeout(registryTimeoutMs, () => outgoing.destroy(new Error(`${url.host} does not answer`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}

async function succeeded(response: IncomingMessage, url: URL): Promise<IncomingMessage> {
  const { statusCode = 0, statusMessage = '' } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  const body = (await text(response)).slice(0, 1000).trim();
  const said = body === '' ? '' : `: ${body}`;
  throw new RegistryError(
    statusCode,
    `unexpected status from ${url.origin}${url.pathname}: ${statusCode} ${statusMessage}${said}`,
  );
}
