import { describe, expect, it } from 'vitest';
import {
  divideRecords,
  newPublicService,
  publicAddress,
  releaseRecords,
  selectedRelease,
  switched,
  switchedBack,
} from '../../src/azure/kubernetes/public-service.js';
import { someIdentity, someRelease } from '../fixtures/release.js';

const first = someRelease({ identity: someIdentity('dfirst'), content: 'one' });
const second = someRelease({ identity: someIdentity('dsecond'), content: 'two' });
const third = someRelease({ identity: someIdentity('dthird'), content: 'three' });

const created = newPublicService(first);
const afterSecond = switched(created, second) ?? created;
const afterThird = switched(afterSecond, third) ?? afterSecond;

describe('switching the public Service', () => {
  it('creates it with the release that is the first', () => {
    expect(selectedRelease(created)).toBe(first.image.tag);
    expect(created.spec).toMatchObject({ type: 'LoadBalancer', ports: [{ port: 8500, targetPort: 8500 }] });
  });

  it('leaves appProtocol unset, because Azure would probe HTTP on the gRPC port', () => {
    expect(created.spec?.ports?.[0]).not.toHaveProperty('appProtocol');
  });

  it('moves the selector and remembers what it selected before', () => {
    expect(selectedRelease(afterSecond)).toBe(second.image.tag);
    expect(afterSecond.metadata?.annotations?.['slipway.dev/previous-release']).toBe(first.image.tag);
  });

  it('changes nothing when the release is live already', () => {
    expect(switched(afterSecond, second)).toBeUndefined();
  });

  it('keeps the history newest first, with what each release is made of', () => {
    expect(releaseRecords(afterThird).map(({ release }) => release)).toEqual([
      third.image.tag,
      second.image.tag,
      first.image.tag,
    ]);
    expect(releaseRecords(afterThird)[0]).toEqual({
      release: third.image.tag,
      imageDigest: third.image.digest,
      source: 'pets:3',
      converted: 'pets-onnx:3',
      deploymentId: 'dthird',
    });
  });

  it('keeps a release that is live again once, as what it is made of now', () => {
    const back = switched(afterThird, { ...first, identity: someIdentity('dagain') }) ?? afterThird;
    const { kept, dropped } = divideRecords(releaseRecords(back), 2);
    expect(kept.map(({ release, deploymentId }) => [release, deploymentId])).toEqual([
      [first.image.tag, 'dagain'],
      [third.image.tag, 'dthird'],
    ]);
    expect(dropped.map(({ deploymentId }) => deploymentId)).toEqual(['dsecond', 'dfirst']);
  });

  it('publishes REST for as long as a release that asks for it is live, on the port that speaks TLS where there is one', () => {
    const scoring = { rest: true, tls: { secret: 'front' } };
    const open = someRelease({ identity: someIdentity('dopen'), content: 'open', scoring });
    const published = switched(created, open) ?? created;
    const portsOf = ({ spec }: typeof created) => spec?.ports?.map(({ port }) => port);
    expect(portsOf(published)).toEqual([8500, 8502]);
    expect(portsOf(newPublicService(someRelease({ scoring: { rest: true } })))).toEqual([8500, 8501]);
    expect(portsOf(switched(published, second) ?? published)).toEqual([8500]);
    const back = switchedBack(published, open.identity);
    expect(back.action === 'replace' && portsOf(back.service)).toEqual([8500]);
  });

  it('keeps the node port that the cluster gave', () => {
    const [grpc] = created.spec?.ports ?? [];
    const filledIn = { ...created, spec: { ...created.spec, ports: [{ ...grpc, port: 8500, nodePort: 30123 }] } };
    expect(switched(filledIn, second)?.spec?.ports).toMatchObject([{ nodePort: 30123 }]);
  });

  it('keeps who created it, and what others wrote on it', () => {
    const annotated = {
      ...created,
      metadata: { ...created.metadata, annotations: { ...created.metadata?.annotations, other: 'x' } },
    };
    expect(switched(annotated, second)?.metadata?.annotations).toMatchObject({
      other: 'x',
      'slipway.dev/owner': `${first.identity.uid}/dfirst`,
    });
  });

  it.each(['not json', '{}', '[{"release":1}]'])('reads a damaged history as none: %s', (text) => {
    const damaged = { metadata: { annotations: { 'slipway.dev/releases': text } } };
    expect(releaseRecords(damaged)).toEqual([]);
  });
});

describe('undoing a switch', () => {
  it('puts the selector and the history back where the deployment found them', () => {
    const back = switchedBack(afterThird, third.identity);
    expect(back.action).toBe('replace');
    if (back.action !== 'replace') return;
    expect(selectedRelease(back.service)).toBe(second.image.tag);
    expect(releaseRecords(back.service)).toEqual(releaseRecords(afterSecond));
    expect(back.service.metadata?.annotations).not.toHaveProperty('slipway.dev/previous-release');
  });

  it('to a release that was live before puts that one back into the history too', () => {
    const identity = someIdentity('dagain');
    const back = switchedBack(switched(afterThird, { ...first, identity }) ?? afterThird, identity);
    expect(back.action).toBe('replace');
    if (back.action !== 'replace') return;
    expect(selectedRelease(back.service)).toBe(third.image.tag);
    expect(releaseRecords(back.service)).toEqual(releaseRecords(afterThird));
  });

  it('removes a Service that the deployment created', () => {
    expect(switchedBack(created, first.identity)).toEqual({ action: 'delete' });
  });

  it.each([
    ['an earlier deployment', afterThird, second.identity],
    ['the deployment that created it, after another one has switched', afterSecond, first.identity],
    ['a deployment that never got as far', afterSecond, someIdentity('dother')],
  ])('leaves it alone for %s', (_, service, identity) => {
    expect(switchedBack(service, identity)).toEqual({ action: 'leave' });
  });
});

describe('the public address', () => {
  it.each([
    [{ ip: '20.1.2.3' }, '20.1.2.3:8500'],
    [{ hostname: 'pets.example' }, 'pets.example:8500'],
    [{ ip: '2001:db8::1' }, '[2001:db8::1]:8500'],
    [undefined, undefined],
  ])('of %o is %s', (ingress, address) => {
    const status = { loadBalancer: ingress ? { ingress: [ingress] } : {} };
    expect(publicAddress({ status })).toBe(address);
  });
});
