// The official graphql-ws client against a running server: what it asks is in the first argument, what it met goes to standard output, as JSON.
import { createClient, CloseCode } from 'graphql-ws';
import WebSocket from 'ws';

const { url, token, account, site, feed, open } = JSON.parse(process.argv[2]);
const met = { heard: [], closed: [], pongs: 0, connected: 0 };
const options = (more) => ({ url, webSocketImpl: WebSocket, connectionParams: { token }, ...more });
const first = (client, payload) =>
  new Promise((resolve, reject) => {
    let answer;
    client.subscribe(payload, { next: (told) => (answer = told), error: reject, complete: () => resolve(answer) });
  });

const client = createClient(options({
  lazy: false,
  keepAlive: 100,
  retryAttempts: 20,
  shouldRetry: () => true,
  on: {
    connected: () => met.connected++,
    pong: () => met.pongs++,
    closed: (event) => met.closed.push(event.code ?? null),
  },
}));

met.viewer = await first(client, { query: '{ viewer { role } }' });

// Subscribe, change something over the same socket, lose the line twice, come back with the cursor.
const report = (n) => first(client, {
  query: open,
  variables: { input: { siteId: site, priority: 'HIGH', summary: `Gate ${n}`, source: 'CLIENT', reporter: 'me' } },
});
let after = null;
let opened = 0;
for (let round = 0; round < 3; round++) {
  const events = client.iterate({ query: feed, variables: { account, after } });
  const began = events.next();
  await new Promise((resolve) => setTimeout(resolve, 300));  // without a cursor, it begins when it is there
  met.opened = [...(met.opened ?? []), await report(opened++)];
  let told = await began;
  for (let n = 0; n < 2; n++) {
    const event = told.value.data.accountEvents;
    met.heard.push(event.cursor);
    after = event.cursor;
    if (n < 1) told = await events.next();
  }
  if (round < 2) client.terminate();
  await events.return?.();
}

met.badCursor = await first(client, { query: feed, variables: { account, after: 'garbage' } }).catch((errors) => errors);
met.badDocument = await first(client, { query: '{ nothing }' }).catch((errors) => errors);
await client.dispose();

const stranger = createClient(options({ connectionParams: { token: 'wrong' }, retryAttempts: 0 }));
met.badToken = await first(stranger, { query: '{ viewer { role } }' }).catch((event) => ({ code: event.code, reason: event.reason }));
met.forbidden = CloseCode.Forbidden;
console.log(JSON.stringify(met));
process.exit(0);
