import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Plain Node, as everything that runs before the build: it has no types of its own. */
interface PackageIndex {
  readonly pipSettings: (text: string) => Record<string, string>;
  readonly uvSettings: (pip: Record<string, string>, environment: Record<string, string>) => Record<string, string>;
}

const { pipSettings, uvSettings } = (await import(
  fileURLToPath(new URL('../../scripts/package-index.mjs', import.meta.url))
)) as PackageIndex;

describe('uv gets the package index that pip is configured for', () => {
  const config = [
    "global.cert='/etc/company.pem'",
    "global.index-url='https://weak.example/simple'",
    `install.find-links='/no/such/directory\\n${tmpdir()}'`,
    "install.index-url='https://strong.example/simple'",
    ":env:.extra-index-url='https://one.example/simple https://two.example/simple'",
    ":env:.disable-pip-version-check='1'",
  ].join('\n');

  it('takes the strongest section, passes over missing directories and unknown options', () => {
    expect(uvSettings(pipSettings(config), {})).toEqual({
      SSL_CERT_FILE: '/etc/company.pem',
      UV_DEFAULT_INDEX: 'https://strong.example/simple',
      UV_FIND_LINKS: tmpdir(),
      UV_INDEX: 'https://one.example/simple https://two.example/simple',
    });
  });

  it('leaves variables alone that are set', () => {
    const set = { UV_DEFAULT_INDEX: 'https://mine.example/simple', SSL_CERT_FILE: '/mine.pem' };
    expect(Object.keys(uvSettings(pipSettings(config), set)).sort()).toEqual(['UV_FIND_LINKS', 'UV_INDEX']);
  });

  it('says nothing where pip is not configured', () => {
    expect(uvSettings(pipSettings(''), {})).toEqual({});
  });
});
