import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../../src/deployment/temporal.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** What the rules below look at; the specification's own schema checks the rest. */
const Service = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string(), target: z.string() }).optional(),
  restart: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  'x-without-health-check': z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  network_mode: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  stop_grace_period: z.string().optional(),
});
const Compose = z.looseObject({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
});

const document: unknown = parse(read('docker-compose.yml'), { merge: true });
const compose = Compose.parse(document);
const services = Object.entries(compose.services);
const service = (name: string) => Service.parse(compose.services[name]);

function specificationErrors(candidate: unknown): string[] {
  const schema = z.looseObject({}).parse(JSON.parse(read('test/fixtures/compose-spec/compose-spec.json')));
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(schema);
  return validate(candidate) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath}: ${error.message}`);
}

describe('docker-compose.yml', () => {
  it('is what the Compose specification allows', () => {
    expect(specificationErrors(document)).toEqual([]);
  });

  it('would be refused with a misspelt member', () => {
    const misspelt: unknown = parse(read('docker-compose.yml').replace('healthcheck:', 'helthcheck:'), { merge: true });
    expect(specificationErrors(misspelt)).toContainEqual(expect.stringContaining('/services/postgres'));
  });

  it.each(services)('%s has an image of one version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/);
  });

  it.each(services)('%s has a health check, or says why not', (_name, { healthcheck, ...others }) => {
    expect(healthcheck === undefined).toBe(others['x-without-health-check'] !== undefined);
  });

  it.each(services)('%s says what happens when it ends', (_name, { restart }) => {
    expect(restart).toMatch(/^(unless-stopped|on-failure:\d+|no)$/);
  });

  it.each(services)(
    '%s waits for what it needs by a condition that can come true',
    (_name, { depends_on, network_mode }) => {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const { healthcheck, restart } = service(other);
        if (condition === 'service_healthy') expect(healthcheck, other).toBeDefined();
        if (condition === 'service_completed_successfully') expect(restart, other).toMatch(/^on-failure/);
      }
      if (network_mode !== undefined) expect(compose.services).toHaveProperty(network_mode.replace('service:', ''));
    },
  );

  it.each(services)('%s is published on loopback only', (_name, { ports }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(services)('%s mounts what exists', (_name, { volumes }) => {
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) expect(existsSync(path.join(root, source)), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
  });

  it.each(services)('%s has no secret but a default that can be replaced', (_name, { environment }) => {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|PWD|SECRET|KEY|TOKEN/.test(name)) expect(value, name).toMatch(/^\$\{[A-Z_]+:-[^}]*\}$/);
    }
  });

  it('gives the worker longer to stop than it takes to abandon its work', () => {
    const [, force = ''] = /FORCE_TIME = '(\d+)s'/.exec(read('src/worker.ts')) ?? [];
    expect(parseInt(service('worker').stop_grace_period ?? '', 10)).toBeGreaterThan(Number(force));
  });

  it('has the local Azure and all who speak to it on the same loopback, with the CA at one path', () => {
    const state = ({ volumes }: z.infer<typeof Service>) =>
      volumes.find((volume) => volume.startsWith('azure:'))?.replace(/:ro$/, '');
    for (const name of ['worker', 'slipway']) {
      expect(service(name).network_mode).toBe(service('azure').network_mode);
      expect(state(service(name))).toBe(state(service('azure')));
    }
  });

  it('registers every search attribute with its type', () => {
    const script = read('docker/temporal/namespace.sh');
    const types = { KEYWORD: 'Keyword', BOOL: 'Bool' };
    for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
      expect(script).toContain(`--name ${name} --type ${types[type]}`);
    }
  });
});

describe('the images', () => {
  const built = services.flatMap(([name, { build }]) => (build === undefined ? [] : [{ name, ...build }]));
  const instructions = (file: string): string[] =>
    read(file)
      .replace(/\\\n/g, ' ')
      .split('\n')
      .filter((line) => /^[A-Z]+ /.test(line));

  it.each(built)(
    '$name is built from a stage that exists, and does not run as root',
    ({ context, dockerfile, target }) => {
      expect(existsSync(path.join(root, context))).toBe(true);
      const lines = instructions(dockerfile);
      const stage = lines.findIndex((line) => new RegExp(`^FROM .* AS ${target}$`).test(line));
      expect(stage).toBeGreaterThanOrEqual(0);
      const next = lines.findIndex((line, index) => index > stage && line.startsWith('FROM '));
      const users = lines.slice(stage, next === -1 ? undefined : next).filter((line) => line.startsWith('USER '));
      expect(users.at(-1)).toBe('USER node');
    },
  );

  const dockerfiles = [...new Set(built.map(({ dockerfile }) => dockerfile))];

  it.each(dockerfiles)('%s can be built by the classic builder', (file) => {
    expect(read(file)).not.toMatch(/^# *syntax *=|<<|--mount|--chmod|--link|\$\{?(TARGET|BUILD)(ARCH|OS|PLATFORM)/m);
  });

  it.each(dockerfiles)('%s starts from images of one version, and Node that the packages support', (file) => {
    const stages: string[] = [];
    for (const line of instructions(file).filter((instruction) => instruction.startsWith('FROM '))) {
      const [, from = '', name = ''] = line.split(/ (?:AS )?/);
      if (!stages.includes(from)) expect(from).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
      stages.push(name);
    }
  });

  it.each(dockerfiles)('%s copies what exists and is not ignored', (file) => {
    const context = read('.dockerignore').split('\n');
    const copied = instructions(file)
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/ +/).slice(1, -1));
    expect(copied).not.toEqual([]);
    for (const source of copied) {
      expect(existsSync(path.join(root, source)), source).toBe(true);
      expect(context, source).toContain(`!${source.split('/')[0]}`);
    }
  });
});
