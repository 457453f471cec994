// Every method on locations. The document is served from this process, so the
// portal must allow loopback; where it does not, it must say so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { client } from './portal.mjs';

const { catalog } = client();
const buoy = `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: buoy, namespace: client-test}
spec: {type: service, lifecycle: production, owner: crew}
`;
const documents = {
  '/catalog-info.yaml': buoy,
  '/moved.yaml': buoy,
  '/all.yaml': `apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: harbour-files, namespace: client-test}
spec: {targets: [./moved.yaml]}
`,
};
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/yaml');
  response.end(documents[request.url] ?? 'nothing: here\n');
});
let origin;

before(async () => {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  // The portal keeps its connections for the next question.
  server.closeAllConnections();
});

const failure = (status, name) => error => {
  assert.equal(error.response?.status, status, String(error));
  assert.equal(error.cause?.name, name);
  return true;
};

const allowed = process.env.PORTAL_ALLOWS_LOOPBACK === '1';

test('a private address is refused unless allowed', { skip: allowed }, async () => {
  await assert.rejects(catalog.addLocation({ target: `${origin}/catalog-info.yaml` }), failure(400, 'InputError'));
});

test('locations are added, found, moved and removed', { skip: !allowed && 'PORTAL_ALLOWS_LOOPBACK is not 1' }, async () => {
  const target = `${origin}/catalog-info.yaml`;
  const dry = await catalog.addLocation({ target, dryRun: true });
  assert.deepEqual([dry.exists, dry.location.id], [false, `url:${target}`]);
  const names = dry.entities.map(entity => `${entity.kind}:${entity.metadata.name}`);
  assert.deepEqual([names[0].slice(0, 19), names.slice(1)], ['Location:generated-', ['Component:buoy']]);
  const whole = await catalog.addLocation({ target: `${origin}/all.yaml`, dryRun: true });
  assert.deepEqual(whole.entities.map(entity => entity.metadata.name).slice(1), ['harbour-files', 'buoy']);
  await assert.rejects(catalog.addLocation({ target: `${origin}/other.yaml`, dryRun: true }), failure(400, 'InputError'));
  assert.equal(await catalog.getLocationByRef(`url:${target}`), undefined);

  const { location } = await catalog.addLocation({ target });
  assert.equal(location.target, target);
  await assert.rejects(catalog.addLocation({ target }), failure(409, 'ConflictError'));
  const again = await catalog.addLocation({ target, onConflict: 'refresh' });
  assert.equal(again.location.id, location.id);
  assert.equal((await catalog.addLocation({ target, dryRun: true })).exists, true);

  assert.deepEqual(await catalog.getLocationById(location.id), location);
  assert.deepEqual(await catalog.getLocationByRef(`url:${target}`), location);
  assert.deepEqual(await catalog.getLocationByEntity(location.entityRef), location);
  assert.ok((await catalog.getLocations()).items.some(item => item.id === location.id));
  const { items, totalItems } = await catalog.queryLocations({ query: { target } });
  assert.deepEqual([items, totalItems], [[location], 1]);
  const streamed = [];
  for await (const page of catalog.streamLocations({ query: { type: 'url' } })) streamed.push(...page);
  assert.ok(streamed.some(item => item.id === location.id));
  await assert.rejects(catalog.queryLocations({ query: { 'spec.type': 'x' } }), failure(400, 'InputError'));

  const all = await catalog.addLocation({ target: `${origin}/all.yaml` });
  const found = await eventually(() => catalog.getEntityByRef('location:client-test/harbour-files'));
  assert.equal(found.kind, 'Location');
  await catalog.removeLocationById(location.id);
  // What the first place declared is free for the second.
  const parents = await eventually(async () => {
    const { items } = await catalog.getEntityAncestors({ entityRef: 'component:client-test/buoy' });
    return items.length === 2 && items;
  });
  assert.deepEqual(parents.map(item => item.parentEntityRefs), [['location:client-test/harbour-files'], []]);
  await catalog.removeLocationById(all.location.id);

  const { location: last } = await catalog.addLocation({ target });
  const moved = await catalog.updateLocation(last.id, { target: `${origin}/moved.yaml` });
  assert.equal(moved.target, `${origin}/moved.yaml`);
  await catalog.removeLocationById(moved.id);
  assert.equal(await catalog.getLocationById(moved.id), undefined);
});

test('what does not exist or is of another type is refused', async () => {
  const none = '00000000-0000-4000-8000-000000000000';
  assert.equal(await catalog.getLocationById(none), undefined);
  assert.equal(await catalog.getLocationByEntity('location:default/none'), undefined);
  await assert.rejects(catalog.removeLocationById(none), failure(404, 'NotFoundError'));
  await assert.rejects(catalog.updateLocation(none, { target: 'https://example.com/c.yaml' }), failure(404, 'NotFoundError'));
  await assert.rejects(catalog.addLocation({ type: 'file', target: '/etc' }), failure(400, 'InputError'));
});

/** Asks until there is an answer: what was registered is read in the background. */
async function eventually(ask) {
  for (let round = 0; round < 200; round += 1) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('no answer within ten seconds');
}
