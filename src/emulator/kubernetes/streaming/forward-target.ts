import { dialFailure } from '../kubelet/dial-failure.js';

/** The pod that ports are forwarded to. */
export interface ForwardTarget {
  name: string;
  /** Its address, which holds as long as it does. */
  host: string;
}

/** Says why a port could not be forwarded, in the form of the kubelet. */
export function forwardFailure(error: Error, { name, host }: ForwardTarget, port: number): string {
  return `error forwarding port ${port} to pod ${name}, uid : ${dialFailure(error, host, port)}`;
}
