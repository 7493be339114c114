/* The first page: server status, roles, live view of a client, example queries. Uses only the public API. */

import { clients, watch } from "/console/live.js";
import { accessToken, isSignedIn } from "/console/session.js";
import { follow } from "/console/socket.js";
import { element, showParts } from "/console/status.js";

const RENEW_MS = 5 * 60_000;
const at = (id) => document.getElementById(id);

const EXAMPLES = [
  {
    name: "Open incidents and their promises",
    about: "The remaining time is computed when you ask: run it twice and see it change.",
    query: `query OpenIncidents {
  incidents(
    statuses: [NEW, ACKNOWLEDGED, IN_PROGRESS, PAUSED]
    first: 5
  ) {
    nodes {
      summary
      priority
      status
      account { name }
      promises {
        name
        state
        dueAt
        remainingSeconds
      }
    }
  }
}`,
  },
  {
    name: "Broken promises and why",
    about: "Each verdict names the facts that decided it, and the credit that the client gets.",
    query: `query BrokenPromises {
  promises(states: [LATE], first: 3) {
    nodes {
      name
      verdict
      targetSeconds
      elapsedSeconds
      incident { summary account { name } }
      credit { amountCents currency }
      decidingFacts { kind at actor }
    }
  }
}`,
  },
  {
    name: "Invoices and credit notes",
    about: "Each line follows from the terms of the agreement; credits are paid out by a credit note.",
    query: `query Money {
  invoices(first: 3) {
    nodes {
      number
      netCents
      openCents
      agreement { account { name } }
      lines { name quantityMilli unit netCents }
      creditNote { number netCents }
    }
  }
  recoveryCases(first: 1) { nodes { summary state steps { kind dueAt doneAt } } }
}`,
  },
  {
    name: "Live: breaches as they happen",
    about: "Shows the last breaches, then new ones as they happen. After a restart of the server it continues without a gap.",
    query: `subscription Breaches($after: String) {
  breaches(after: $after, atRisk: true) {
    cursor
    kind
    at
    account { name }
    incident { summary priority }
    promise { name remainingSeconds }
  }
}`,
  },
];

let people = [];

async function showPeople() {
  try {
    const response = await fetch("/demo/tokens");
    people = response.ok ? await response.json() : [];
  } catch {
    people = [];
  }
  const tenants = [...new Set(people.map((person) => person.tenant))];
  at("tenant").replaceChildren(...tenants.map((name) => new Option(name)));
  at("tenant").parentElement.hidden = at("role").parentElement.hidden = people.length === 0;
  if (people.length === 0) {
    await showOwn();
    return;
  }
  showRoles();
}

/* Show the token of the signed-in user, renewed while the page is open, else the one pasted before. */
async function showOwn() {
  const own = await accessToken().catch(() => null);
  at("token").value = own ?? sessionStorage.getItem("waarborg.token") ?? "";
  at("whose").textContent = own
    ? "You are signed in."
    : "Sign in, or paste a token. At the server, `waarborg token --role dispatcher` makes one.";
  if (own) setInterval(async () => (at("token").value = (await accessToken().catch(() => null)) ?? at("token").value), RENEW_MS);
  showClients();
}

function showRoles() {
  const here = people.filter((person) => person.tenant === at("tenant").value);
  at("role").replaceChildren(...here.map((person) => new Option(person.role.replaceAll("_", " "), person.role)));
  if (here.some((person) => person.role === "dispatcher")) at("role").value = "dispatcher";
  choose();
}

function choose() {
  const person = people.find((one) => one.tenant === at("tenant").value && one.role === at("role").value);
  if (!person) return;
  at("token").value = person.token;
  const reach = person.account ? `sees ${person.account} only` : "sees every client of the company";
  at("whose").textContent = `${person.user}, ${reach}.`;
  remember();
}

function remember() {
  sessionStorage.setItem("waarborg.token", at("token").value.trim());
  showClients();
}

let leave = null;
let turn = 0;

function sayLive(kind, text) {
  at("live-status").className = `hint status ${kind}`;
  at("live-status").textContent = text;
}

async function showClients() {
  const token = at("token").value.trim();
  const found = token ? await clients(token).catch(() => []) : [];
  if (token !== at("token").value.trim()) return;
  at("client").replaceChildren(...found.map((account) => new Option(account.name, account.id)));
  showLive();
}

async function showLive() {
  leave?.();
  leave = null;
  const mine = ++turn;
  at("tiles").replaceChildren();
  at("incidents").replaceChildren();
  const account = at("client").value;
  if (!account) return sayLive("", "This token sees no client.");
  try {
    const token = at("token").value.trim();
    const stop = await watch({ token, account, tiles: at("tiles"), incidents: at("incidents"), say: sayLive });
    if (mine === turn) leave = stop;
    else stop();
  } catch (error) {
    sayLive("trouble", error.message);
  }
}

let stop = null;

function say(kind, text) {
  at("status").className = `status ${kind}`;
  at("status").textContent = text;
}

function clear() {
  stop?.();
  stop = null;
  at("run").textContent = "Run";
  at("events").replaceChildren();
  at("events").hidden = true;
  at("answer").textContent = "";
}

function pick(index) {
  clear();
  say("", "Press Run to send the query");
  [...at("tabs").children].forEach((tab, n) => tab.setAttribute("aria-selected", String(n === index)));
  at("query").value = EXAMPLES[index].query;
  at("about").textContent = EXAMPLES[index].about;
}

async function ask(query, token) {
  say("", "Waiting for the response…");
  const began = performance.now();
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json",
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query }),
    });
    const answer = await response.json();
    const took = Math.round(performance.now() - began);
    const cost = answer.extensions?.cost;
    const tail = cost === undefined ? "" : ` · cost ${cost}`;
    say(answer.errors ? "trouble" : "", `${response.status} in ${took} ms${tail}`);
    at("answer").textContent = JSON.stringify(answer.errors ?? answer.data, null, 2);
  } catch (error) {
    say("trouble", `No response: ${error.message}`);
  }
}

/* Return a cursor before the last few breaches, so that the feed is not empty at first. */
async function recently(token) {
  const query = `{ ledger(kinds: ["promise.breached", "promise.at_risk"], last: 9) { pageInfo { startCursor } } }`;
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query }) });
  return (await response.json()).data?.ledger.pageInfo.startCursor ?? null;
}

async function listen(query, token) {
  at("events").hidden = false;
  at("run").textContent = "Stop";
  let cancelled = false;
  stop = () => (cancelled = true);
  const after = await recently(token).catch(() => null);
  if (!cancelled) stop = follow({ query, token, after, onEvent: showEvent, onState: say });
}

function showEvent(event) {
  const short = event.kind === "promise.breached" ? "late" : event.kind === "promise.at_risk" ? "at risk" : event.kind;
  const badge = { late: "badge", "at risk": "badge risk" }[short] ?? "badge other";
  const time = element("time", event.at ? new Date(event.at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }) : "");
  const item = element("li", null, "new");
  const what = [event.incident?.summary, event.incident?.priority?.toLowerCase()].filter(Boolean).join(" · ");
  const who = [event.account?.name, event.promise?.name?.replaceAll("_", " ")].filter(Boolean).join(" · ");
  item.append(element("span", short, badge), element("span", what || event.kind), time, element("small", who));
  at("events").prepend(item);
  while (at("events").children.length > 100) at("events").lastChild.remove();
}

at("ask").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const running = stop !== null;
  clear();
  if (running) return say("", "Stopped");
  const query = at("query").value;
  const token = at("token").value.trim();
  if (!/^\s*subscription\b/m.test(query)) return ask(query, token);
  listen(query, token);
});
at("client").addEventListener("change", showLive);
at("tenant").addEventListener("change", showRoles);
at("role").addEventListener("change", choose);
at("token").addEventListener("change", remember);
at("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(at("token").value);
  at("copy").textContent = "Copied";
  setTimeout(() => (at("copy").textContent = "Copy"), 1200);
});
EXAMPLES.forEach((example, index) => {
  const tab = element("button", example.name);
  tab.type = "button";
  tab.role = "tab";
  tab.addEventListener("click", () => pick(index));
  at("tabs").append(tab);
});

pick(0);
showParts(at("parts"));
setInterval(() => showParts(at("parts")), 5000);
if (isSignedIn()) {
  at("own").textContent = "Your access";
  at("own").href = "/access";
}
showPeople();
