// Translates pip's configuration into uv's environment variables. Names no package index of its own.
import { existsSync } from 'node:fs';

/** From the weakest to the strongest: pip's own order. */
const SECTIONS = ['global', 'install', ':env:'];

/** pip's option → uv's variable, and how its values are joined where it may have several. */
const VARIABLES = {
  'index-url': { name: 'UV_DEFAULT_INDEX' },
  'extra-index-url': { name: 'UV_INDEX', separator: ' ' },
  'find-links': { name: 'UV_FIND_LINKS', separator: ',' },
  'no-index': { name: 'UV_NO_INDEX' },
  'trusted-host': { name: 'UV_INSECURE_HOST', separator: ' ' },
  cert: { name: 'SSL_CERT_FILE' },
  'client-cert': { name: 'SSL_CLIENT_CERT' },
  proxy: { name: 'ALL_PROXY' },
  'default-timeout': { name: 'UV_HTTP_TIMEOUT' },
  timeout: { name: 'UV_HTTP_TIMEOUT' },
};

/**
 * Reads what `pip config list` prints: lines such as `global.index-url='https://…'`, values as Python literals.
 *
 * @param {string} text
 * @returns {Record<string, string>} option → value of the strongest section
 */
export function pipSettings(text) {
  const lines = [...text.matchAll(/^(global|install|:env:)\.([a-z-]+)=(['"])(.*)\3$/gm)];
  const settings = {};
  for (const section of SECTIONS) {
    for (const [, from, option, , value] of lines) {
      if (from === section) settings[option] = value.replaceAll('\\n', '\n').trim();
    }
  }
  return settings;
}

/**
 * @param {Record<string, string>} settings of pip
 * @param {Record<string, string | undefined>} environment whose variables win
 * @returns {Record<string, string>} variables for uv
 */
export function uvSettings(settings, environment) {
  const variables = {};
  for (const [option, value] of Object.entries(settings)) {
    const variable = VARIABLES[option];
    if (!variable || environment[variable.name]) continue;
    const values = value.split(/\s+/).filter((entry) => option !== 'find-links' || isReachable(entry));
    if (values.length > 0) variables[variable.name] = values.join(variable.separator ?? ' ');
  }
  return variables;
}

/** pip passes over a directory that is not there, uv fails. @param {string} link */
function isReachable(link) {
  return /^[a-z]+:\/\//i.test(link) || existsSync(link);
}
