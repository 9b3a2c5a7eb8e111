import type { PodLog } from '../../client.js';
import { print, type Terminal } from '../render/terminal.js';
import { withClient, type SessionOptions } from '../session.js';

interface LogOptions extends SessionOptions {
  readonly json?: boolean;
}

export interface ConversionLogOptions extends LogOptions {
  readonly deployment?: string;
}

export interface ImageLogOptions extends LogOptions {
  readonly release?: string;
}

export interface ServiceLogOptions extends LogOptions {
  readonly previous?: boolean;
  readonly tail?: number;
}

/** `slipway logs convert SERVICE` */
export function conversionLog(service: string, options: ConversionLogOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { deployment } = options;
    const log = await client.readConversionLog(service, deployment ? { deploymentId: deployment } : {});
    if (options.json) return print(JSON.stringify(log));
    const { deploymentId, job, reused, text } = log;
    if (reused === undefined) say(`Azure ML job ${job} of deployment ${deploymentId}`);
    else say(`Deployment ${deploymentId} used the result of Azure ML job ${job}: ${reused}`);
    printText(text);
  });
}

/** `slipway logs image SERVICE` */
export function imageLog(service: string, options: ImageLogOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { release } = options;
    const log = await client.readImageLog(service, release ? { release } : {});
    if (options.json) return print(JSON.stringify(log));
    say(log.address);
    printText(log.text);
  });
}

/** `slipway logs service SERVICE` */
export function serviceLog(service: string, options: ServiceLogOptions, { say }: Terminal): Promise<number> {
  return withClient(options, async (client) => {
    const { previous, tail } = options;
    const wanted = { ...(previous ? { previous } : {}), ...(tail === undefined ? {} : { tail }) };
    const log = await client.readServiceLog(service, wanted);
    if (options.json) return print(JSON.stringify(log));
    say(`Release ${log.release}: ${log.pods.map(({ pod }) => pod).join(', ')}`);
    printText(joinLogs(log.pods));
  });
}

/** One pod's log as it is; of several, each line begins with its pod. */
export function joinLogs(pods: readonly PodLog[]): string {
  const [only] = pods;
  if (only !== undefined && pods.length === 1) return only.text;
  return pods
    .flatMap(({ pod, text }) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `[${pod}] ${line}`),
    )
    .join('\n');
}

function printText(text: string): void {
  if (text !== '') print(text.replace(/\n$/, ''));
}
