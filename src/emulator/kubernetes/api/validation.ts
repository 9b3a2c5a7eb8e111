import type { ObjectMeta } from '../objects/metadata.js';
import { cause, type Cause } from './status.js';

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const dataKey = /^[-._a-zA-Z0-9]+$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Longest names that the API takes, in characters. */
const longestLabel = 63;
const longestSubdomain = 253;

const lowercaseRule =
  "must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

/** How the names of a resource are checked: most are DNS subdomains, Services and Namespaces single labels. */
export type NameRule = 'subdomain' | 'label' | 'label1035';

/** Checks one DNS label, as names of containers, volumes and ports must be. */
export function dnsLabelCauses(value: string, field: string): Cause[] {
  if (value === '') return [cause.required(field)];
  if (value.length <= longestLabel && dnsLabel.test(value)) return [];
  return [cause.invalid(field, value, `a lowercase RFC 1123 label ${lowercaseRule}`)];
}

function nameCauses(name: string, rule: NameRule): Cause[] {
  const field = 'metadata.name';
  if (name === '') return [cause.required(field, 'name or generateName is required')];
  if (rule === 'label') return dnsLabelCauses(name, field);
  if (rule === 'label1035') {
    if (name.length <= longestLabel && dns1035Label.test(name)) return [];
    return [cause.invalid(field, name, `a DNS-1035 label ${lowercaseRule}, and must start with a letter`)];
  }
  if (name.length <= longestSubdomain && dnsSubdomain.test(name)) return [];
  return [cause.invalid(field, name, `a lowercase RFC 1123 subdomain ${lowercaseRule}`)];
}

/** Checks labels: qualified keys, values of at most 63 characters. */
export function labelCauses(labels: Readonly<Record<string, string>> | undefined, field: string): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => {
    const causes: Cause[] = [];
    if (!qualifiedName.test(key) || (key.split('/').at(-1) ?? '').length > longestLabel) {
      causes.push(cause.invalid(field, key, 'name part must be a qualified name'));
    }
    if (value.length > longestLabel) causes.push(cause.invalid(field, value, 'must be no more than 63 bytes'));
    else if (!labelValue.test(value)) causes.push(cause.invalid(field, value, 'a valid label must be alphanumeric'));
    return causes;
  });
}

/** Checks the metadata that every object has. */
export function metadataCauses(metadata: ObjectMeta, rule: NameRule): Cause[] {
  const annotations = Object.keys(metadata.annotations ?? {})
    .filter((key) => !qualifiedName.test(key.toLowerCase()))
    .map((key) => cause.invalid('metadata.annotations', key, 'name part must be a qualified name'));
  return [...nameCauses(metadata.name, rule), ...labelCauses(metadata.labels, 'metadata.labels'), ...annotations];
}

/** Checks the keys of a Secret's or ConfigMap's data, which become names of files. */
export function dataKeyCauses(data: Readonly<Record<string, unknown>> | undefined, field: string): Cause[] {
  return Object.keys(data ?? {})
    .filter((key) => !dataKey.test(key) || key.length > longestSubdomain || key === '.' || key.startsWith('..'))
    .map((key) =>
      cause.invalid(
        `${field}[${key}]`,
        key,
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      ),
    );
}

/** Checks the number of a TCP or UDP port. */
export function portCauses(port: number, field: string): Cause[] {
  return port >= 1 && port <= 65535 ? [] : [cause.invalid(field, port, 'must be between 1 and 65535, inclusive')];
}
