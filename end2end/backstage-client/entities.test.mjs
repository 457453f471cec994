// Every method on entities, compared with the client package's own oracle.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { CATALOG_FILTER_EXISTS } from '@backstage/catalog-client';

import { authorization, base, byRef, prepare, refOf } from './portal.mjs';

let catalog;
let oracle;
let entities;
let requests;

before(async () => {
  ({ catalog, oracle, entities, requests } = await prepare());
});

const filters = [
  undefined,
  { kind: 'Component' },
  // A list comes last: the oracle looks at no key after one.
  { 'spec.lifecycle': 'PRODUCTION', kind: ['component', 'API'] },
  [{ kind: 'group' }, { 'metadata.tags': 'java' }],
  { 'metadata.tags.java': CATALOG_FILTER_EXISTS },
  { 'metadata.tags.c++': 'true' },
  { 'metadata.title': CATALOG_FILTER_EXISTS, kind: 'component' },
  { 'metadata.labels.example.com/tier': 'gold' },
  { 'metadata.annotations.example.com/some.dotted.key': 'value 2' },
  { 'spec.nested.port': '8003' },
  { 'spec.nested.public': 'true' },
  { 'spec.replicas': ['1', '4'] },
  { 'relations.ownedBy': 'group:client-test/crew' },
  { 'relations.partof': CATALOG_FILTER_EXISTS },
  { 'metadata.namespace': 'client-test' },
  { 'no.such.key': CATALOG_FILTER_EXISTS },
];

const predicates = [
  { kind: 'component' },
  { 'spec.type': 'SERVICE', 'spec.lifecycle': 'experimental' },
  { $all: [{ kind: 'component' }, { $not: { 'spec.type': 'library' } }] },
  { $any: [{ kind: 'group' }, { kind: 'user' }] },
  { $any: [] },
  { 'metadata.title': { $exists: true } },
  { 'metadata.title': { $exists: false }, kind: { $in: ['Component', 'api'] } },
  { 'metadata.name': { $hasPrefix: 'QU' } },
  { 'metadata.tags': { $contains: 'edge' } },
  { relations: { $contains: { type: 'ownedBy', targetRef: 'group:client-test/crew' } } },
  { kind: { $in: [] } },
];

const all = { limit: 10_000 };

test('getEntities answers what the filter selects', async () => {
  for (const filter of filters) {
    const [ours, theirs] = [await catalog.getEntities({ filter }), await oracle.getEntities({ filter })];
    assert.deepEqual(byRef(ours.items), byRef(theirs.items), JSON.stringify(filter));
  }
});

test('getEntities sorts, pages and prunes', async () => {
  const request = {
    filter: { 'metadata.namespace': 'client-test' },
    order: [
      { field: 'spec.lifecycle', order: 'desc' },
      { field: 'metadata.name', order: 'asc' },
    ],
    fields: ['kind', 'metadata.name', 'metadata.annotations.example.com/some.dotted.key', 'spec.type'],
  };
  assert.deepEqual(await catalog.getEntities(request), await oracle.getEntities(request));
  const page = { ...request, offset: 2, limit: 3 };
  assert.deepEqual(await catalog.getEntities(page), await oracle.getEntities(page));
});

test('getEntitiesByRefs keeps order and holes', async () => {
  const entityRefs = [...entities.slice(0, 40).map(refOf), 'component:default/not-there', 'Component:client-test/Quay'];
  for (const more of [{}, { query: { kind: 'component' } }, { filter: { kind: 'group' } }, { fields: ['kind'] }]) {
    const request = { entityRefs, ...more };
    assert.deepEqual(await catalog.getEntitiesByRefs(request), await oracle.getEntitiesByRefs(request));
  }
  const many = Array.from({ length: 2500 }, (_, index) => `component:default/${index}-${'x'.repeat(50)}`);
  const { items } = await catalog.getEntitiesByRefs({ entityRefs: many });
  assert.equal(items.length, 2500);
});

test('queryEntities answers filters and predicates with their total', async () => {
  const asked = [...filters.map(filter => ({ filter })), ...predicates.map(query => ({ query }))];
  for (const request of asked) {
    const ours = await catalog.queryEntities({ ...request, ...all });
    const theirs = await oracle.queryEntities({ ...request, ...all });
    assert.deepEqual(byRef(ours.items), byRef(theirs.items), JSON.stringify(request));
    assert.equal(ours.totalItems, theirs.totalItems, JSON.stringify(request));
  }
  const both = { filter: { kind: 'component' }, query: { 'spec.type': 'service' }, ...all };
  assert.deepEqual(byRef((await catalog.queryEntities(both)).items), byRef((await oracle.queryEntities(both)).items));
});

test('queryEntities finds texts', async () => {
  for (const fullTextFilter of [
    { term: ' TIDE ', fields: ['metadata.name', 'metadata.title'] },
    { term: 'hour', fields: ['metadata.description'] },
    { term: 'u' },
  ]) {
    const request = { fullTextFilter, orderFields: { field: 'metadata.name', order: 'asc' }, ...all };
    const [ours, theirs] = [await catalog.queryEntities(request), await oracle.queryEntities(request)];
    assert.deepEqual(byRef(ours.items), byRef(theirs.items), JSON.stringify(fullTextFilter));
    assert.equal(ours.totalItems, theirs.totalItems);
  }
});

async function walk(subject, request, limit) {
  const pages = [];
  let response = await subject.queryEntities({ ...request, limit });
  for (;;) {
    pages.push(response.items);
    if (!response.pageInfo.nextCursor) return { pages, last: response };
    response = await subject.queryEntities({ cursor: response.pageInfo.nextCursor, limit, fields: request.fields });
  }
}

test('queryEntities pages there and back, by GET and by POST', async () => {
  const selections = [{ filter: { 'metadata.namespace': 'client-test' } }, { query: { 'metadata.namespace': 'client-test' } }];
  for (const selection of selections) {
    for (const order of ['asc', 'desc']) {
      const request = { ...selection, orderFields: { field: 'metadata.name', order }, fields: ['metadata.name'] };
      requests.length = 0;
      const { pages, last } = await walk(catalog, request, 4);
      assert.deepEqual(pages, (await walk(oracle, request, 4)).pages);
      const verb = selection.query ? 'POST' : 'GET';
      assert.ok(requests.every(line => line === `${verb} /api/catalog/entities/by-query`), requests.join());
      const back = await catalog.queryEntities({ cursor: last.pageInfo.prevCursor, limit: 4, fields: ['metadata.name'] });
      assert.deepEqual(back.items, pages.at(-2));
    }
  }
});

test('queryEntities leaves out what lacks the order field, and counts on demand', async () => {
  const request = { filter: { 'metadata.namespace': 'client-test' }, orderFields: { field: 'metadata.title', order: 'asc' } };
  const titled = await catalog.queryEntities(request);
  assert.deepEqual(titled.items.map(entity => entity.metadata.title), ['Crew', 'The sluice', 'The tug', 'Tide tables']);
  assert.equal(titled.totalItems, 4);
  const counted = await catalog.queryEntities({ ...request, limit: 0 });
  assert.deepEqual([counted.items, counted.totalItems], [[], 4]);
  const uncounted = await catalog.queryEntities({ ...request, totalItems: 'exclude' });
  assert.deepEqual([uncounted.items.length, uncounted.totalItems], [4, 0]);
});

test('streamEntities yields everything', async () => {
  const seen = [];
  for await (const page of catalog.streamEntities({ pageSize: 7 })) seen.push(...page);
  assert.deepEqual(byRef(seen), byRef(entities));
});

test('getEntityByRef and getEntityByName find one or none', async () => {
  const entityRef = 'COMPONENT:Client-Test/quay';
  assert.deepEqual(await catalog.getEntityByRef(entityRef), await oracle.getEntityByRef(entityRef));
  assert.equal(await catalog.getEntityByRef('component:client-test/none'), undefined);
  const name = { kind: 'API', namespace: 'client-test', name: 'TIDE' };
  assert.equal((await catalog.getEntityByName(name)).metadata.name, 'tide');
  const uid = entities[0].metadata.uid;
  const byUid = await fetch(`${base}/api/catalog/entities/by-uid/${uid}`, { headers: authorization });
  assert.deepEqual(await byUid.json(), entities[0]);
});

test('getEntityAncestors starts at the entity', async () => {
  const request = { entityRef: 'component:client-test/rope' };
  assert.deepEqual(await catalog.getEntityAncestors(request), await oracle.getEntityAncestors(request));
  await assert.rejects(catalog.getEntityAncestors({ entityRef: 'component:client-test/none' }), failure(404, 'NotFoundError'));
});

test('getEntityFacets counts in the case of the author', async () => {
  const facets = ['kind', 'spec.type', 'metadata.tags', 'spec.nested.port', 'no.such.key'];
  const sorted = answer =>
    Object.fromEntries(Object.entries(answer.facets).map(([key, values]) => [key, [...values].sort((a, b) => (a.value < b.value ? -1 : 1))]));
  for (const more of [{}, { filter: { kind: 'component' } }, { query: { 'spec.lifecycle': 'production' } }]) {
    const request = { facets, ...more };
    assert.deepEqual(sorted(await catalog.getEntityFacets(request)), sorted(await oracle.getEntityFacets(request)));
  }
});

test('refreshEntity succeeds for what exists', async () => {
  await catalog.refreshEntity('component:client-test/rope');
  await assert.rejects(catalog.refreshEntity('component:client-test/none'), failure(404, 'NotFoundError'));
});

test('validateEntity judges without storing', async () => {
  const entity = {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: 'unstored' },
    spec: { type: 'service', lifecycle: 'production', owner: 'crew' },
  };
  assert.deepEqual(await catalog.validateEntity(entity, 'url:https://git.example.com/c.yaml'), { valid: true });
  const verdict = await catalog.validateEntity({ ...entity, spec: {} }, 'url:https://git.example.com/c.yaml');
  assert.equal(verdict.valid, false);
  assert.ok(verdict.errors.length > 0 && verdict.errors.every(error => error.name && error.message));
  assert.equal(await catalog.getEntityByRef('component:default/unstored'), undefined);
});

test('analyzeLocation proposes a descriptor', async () => {
  const request = { location: { type: 'url', target: 'https://github.com/kestrel/unheard-of' }, catalogFilename: 'c.yaml' };
  const analysis = await catalog.analyzeLocation(request);
  assert.deepEqual(analysis.existingEntityFiles, []);
  assert.deepEqual(analysis.generateEntities[0].entity.spec, { type: 'other', lifecycle: 'unknown' });
  const unknown = { location: { type: 'carrier-pigeon', target: 'x' } };
  await assert.rejects(catalog.analyzeLocation(unknown), failure(400, 'InputError'));
});

test('removeEntityByUid removes', async () => {
  const entity = await catalog.getEntityByRef('component:client-test/tug');
  await catalog.removeEntityByUid(entity.metadata.uid);
  assert.equal(await catalog.getEntityByRef('component:client-test/tug'), undefined);
});

test('failures carry their cause', async () => {
  await assert.rejects(catalog.queryEntities({ query: { $nope: [] } }), failure(400, 'InputError'));
  await assert.rejects(catalog.queryEntities({ cursor: btoa('{}') }), failure(400, 'InputError'));
  await assert.rejects(catalog.queryEntities({ cursor: btoa('{"query":{}}') }), failure(400, 'InputError'));
});

function failure(status, name) {
  return error => {
    assert.equal(error.response?.status, status, String(error));
    assert.equal(error.cause?.name, name);
    return true;
  };
}
