// The official graphql-sse client (distinct connections) against a running server; told and telling as graphql_ws.mjs.
import { createClient } from 'graphql-sse';

const { url, token, account, site, feed, open } = JSON.parse(process.argv[2]);
const met = { heard: [], opened: [] };
const options = (more) => ({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0, ...more });
const first = (client, payload) =>
  new Promise((resolve, reject) => {
    let answer;
    client.subscribe(payload, { next: (told) => (answer = told), error: reject, complete: () => resolve(answer) });
  });
const failure = (error) => ({
  status: error?.response?.status ?? null,
  errors: Array.isArray(error) ? error : null,
  message: String(error?.message ?? error),
});

const client = createClient(options());
met.viewer = await first(client, { query: '{ viewer { role } }' });

const report = (n) => first(client, {
  query: open,
  variables: { input: { siteId: site, priority: 'HIGH', summary: `Gate ${n}`, source: 'CLIENT', reporter: 'me' } },
});
let after = null;
for (let round = 0; round < 3; round++) {
  const events = client.iterate({ query: feed, variables: { account, after } });
  const began = events.next();
  await new Promise((resolve) => setTimeout(resolve, 300));  // without a cursor, it begins when it is there
  met.opened.push(await report(round));
  let told = await began;
  for (let n = 0; n < 2; n++) {
    const event = told.value.data.accountEvents;
    met.heard.push(event.cursor);
    after = event.cursor;
    if (n < 1) told = await events.next();
  }
  await events.return();  // aborts the request
}

met.badCursor = await first(client, { query: feed, variables: { account, after: 'garbage' } }).catch(failure);
met.badDocument = await first(client, { query: '{ nothing }' }).catch(failure);
client.dispose();

const stranger = createClient(options({ headers: { authorization: 'Bearer wrong' } }));
met.badToken = await first(stranger, { query: '{ viewer { role } }' }).catch(failure);
console.log(JSON.stringify(met));
process.exit(0);
