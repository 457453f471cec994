// Every method on locations. The document is served from this process, so the
// portal must allow loopback; where it does not, it must say so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { client } from './portal.mjs';

const { catalog } = client();
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/yaml');
  response.end(
    request.url === '/catalog-info.yaml' || request.url === '/moved.yaml'
      ? 'apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: buoy, namespace: client-test}\nspec: {type: service, lifecycle: production, owner: crew}\n'
      : 'nothing: here\n',
  );
});
let origin;

before(async () => {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

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
  assert.deepEqual(dry.entities.map(entity => entity.metadata.name), ['buoy']);
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

  const moved = await catalog.updateLocation(location.id, { target: `${origin}/moved.yaml` });
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
