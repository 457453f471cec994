// What the tests share: the portal, its catalog, and the oracle.

import { CatalogClient } from '@backstage/catalog-client';
import { InMemoryCatalogClient } from '@backstage/catalog-client/testUtils';

export const base = (process.env.PORTAL_URL ?? 'http://127.0.0.1:7070').replace(/\/$/, '');

/** What opens the portal. */
export const authorization = { authorization: `Bearer ${process.env.PORTAL_TOKEN}` };

/** The unmodified client; every request it makes is noted. */
export function client() {
  const requests = [];
  const catalog = new CatalogClient({
    discoveryApi: { getBaseUrl: async plugin => `${base}/api/${plugin}` },
    fetchApi: {
      fetch: (input, init) => {
        requests.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`);
        return fetch(input, { ...init, headers: { ...init?.headers, ...authorization } });
      },
    },
  });
  return { catalog, requests };
}

const fixture = (kind, name, spec, metadata = {}) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind,
  metadata: { name, namespace: 'client-test', ...metadata },
  spec,
});

const fixtures = [
  fixture('Group', 'crew', { type: 'team', children: [] }, { title: 'Crew' }),
  fixture('User', 'ada', { memberOf: ['crew'], profile: { displayName: 'Ada' } }),
  fixture('System', 'Harbour', { owner: 'crew' }, { tags: ['core'] }),
  fixture(
    'API',
    'tide',
    { type: 'openapi', lifecycle: 'production', owner: 'crew', system: 'harbour', definition: 'openapi: 3.1.0' },
    { title: 'Tide tables', description: 'Water levels, by the hour', labels: { 'example.com/tier': 'Gold' } },
  ),
  ...['pilot', 'Quay', 'rope', 'sluice', 'tug'].map((name, index) =>
    fixture(
      'Component',
      name,
      {
        type: index % 2 ? 'Service' : 'library',
        lifecycle: index < 3 ? 'production' : 'experimental',
        owner: 'crew',
        system: 'harbour',
        ...(index === 0 ? { providesApis: ['tide'] } : { consumesApis: ['tide'] }),
        replicas: index,
        nested: [{ port: 8000 + index }, { public: index % 2 === 0 }],
      },
      {
        tags: ['java', 'edge', 'c++'].slice(0, index % 4),
        annotations: { 'example.com/some.dotted.key': `value ${index}` },
        ...(index > 2 ? { title: `The ${name}` } : {}),
      },
    ),
  ),
];

/** Stores the fixtures and answers the client beside an oracle over everything in the portal. */
export async function prepare() {
  const upload = await fetch(`${base}/api/v1/entities/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...authorization },
    body: fixtures.map(entity => JSON.stringify(entity)).join('\n'),
  });
  const result = await upload.json();
  for (const item of result.items ?? []) {
    if (item.status >= 300) throw new Error(`fixture refused: ${JSON.stringify(item)}`);
  }
  await fetch(`${base}/api/v1/entities?limit=0&min_seq=${result.seq ?? 0}`, { headers: authorization });
  const { catalog, requests } = client();
  const { items } = await catalog.getEntities();
  return { catalog, requests, entities: items, oracle: new InMemoryCatalogClient({ entities: items }) };
}

export const refOf = entity =>
  `${entity.kind}:${entity.metadata.namespace ?? 'default'}/${entity.metadata.name}`.toLowerCase();

/** Ties are in another order on both sides: Backstage's backend breaks them by id, its oracle by reference. */
export const byRef = items => [...items].sort((left, right) => (refOf(left) < refOf(right) ? -1 : 1));
