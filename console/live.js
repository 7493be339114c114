/* Live view of one client: a small map of every site with its guards, and the open incidents with their promises. */

import { follow } from "/console/socket.js";

const SVG = "http://www.w3.org/2000/svg";
const METRES_A_DEGREE = 111_195;
const OLD_MS = 5 * 60_000;
const RUNS = new Set(["RUNNING", "AT_RISK"]);
const STANDS = { UNPROVEN: "presence cannot be proven here", EXPECTED: "guard expected", COVERED: "guard present", UNWATCHED: "no guard scheduled" };
const UNDECIDED = new Set(["PENDING", "RUNNING", "PAUSED", "AT_RISK"]);

const POSITIONS = `subscription Positions($account: ID!) {
  positions(accountId: $account) { number position { lat lon at duty { user { name } } } }
}`;
const STATUS = `subscription Status($account: ID!) {
  accountStatus(accountId: $account) {
    sites { state site { id } inside { duty { number user { name } } } absent { fromAt duty { number user { name } } } }
    incidents { id number summary priority status site { name } promises { id name state remainingSeconds targetSeconds } }
  }
}`;
const CLIENTS = `query Clients {
  accounts(first: 100) { nodes { id name } }
  incidents(statuses: [NEW, ACKNOWLEDGED, IN_PROGRESS], first: 1) { nodes { account { id } } }
}`;
const SITES = `query Sites($account: ID!) {
  sites(accountId: $account, first: 100) { nodes { id name city lat lon fenceRadiusM fenceOutline } }
}`;

/* Staff see names; clients see a number per client, whose last digits distinguish guards. */
const nameOf = (duty, number = duty?.number) => duty?.user?.name ?? (number ? `Guard ${String(number).slice(-4)}` : "somebody");

const time = (at) => new Date(at).toLocaleTimeString([], { timeStyle: "short" });
const made = (name, text, kind) => {
  const element = document.createElement(name);
  if (text != null) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};

const drawn = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text != null) element.textContent = text;
  return element;
};

async function ask(token, query, variables) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

/* Return metres east and south of the site, so that north is up on the screen. */
const placed = (site, lat, lon) => [
  (((lon - site.lon + 540) % 360) - 180) * METRES_A_DEGREE * Math.cos((site.lat * Math.PI) / 180),
  (site.lat - lat) * METRES_A_DEGREE,
];

const corners = (site) => {
  const outline = site.fenceOutline ?? [];
  return Array.from({ length: outline.length / 2 }, (_, n) => placed(site, outline[2 * n], outline[2 * n + 1]));
};

/* Tile of a site: its geofence and the guards near it. */
class Tile {
  constructor(site) {
    const outline = corners(site);
    const reach = Math.max(60, site.fenceRadiusM ?? 0, ...outline.flat().map(Math.abs)) * 1.4;
    this.site = site;
    this.reach = reach;
    this.element = made("li");
    this.map = drawn("svg", { viewBox: `${-reach} ${-reach} ${2 * reach} ${2 * reach}`, role: "img" });
    this.map.append(drawn("title", {}, `Guards at ${site.name}`));
    this.map.append(
      outline.length
        ? drawn("polygon", { class: "fence", points: outline.map((corner) => corner.join()).join(" ") })
        : drawn("circle", { class: "fence", r: site.fenceRadiusM ?? 0 }),
    );
    this.guards = drawn("g", {});
    this.map.append(this.guards);
    this.who = made("small");
    this.standing = made("small");
    this.element.append(this.map, made("b", site.name), this.who, this.standing);
  }

  stand(standing) {
    this.element.className = standing?.state.toLowerCase() ?? "";
    // From the status, not the map: users without access to positions may still see that a guard is present.
    const inside = standing?.inside.map(({ duty }) => nameOf(duty)) ?? [];
    this.who.textContent = inside.length ? `On site: ${inside.join(", ")}` : "Nobody on site";
    const gone = standing?.absent.map(({ fromAt, duty }) => `${nameOf(duty)} absent since ${time(fromAt)}`) ?? [];
    this.standing.textContent = gone.join(", ") || (STANDS[standing?.state] ?? "");
  }

  show(guards) {
    const size = this.reach / 9;
    this.guards.replaceChildren(
      ...guards.flatMap((guard) => {
        const [x, y] = placed(this.site, guard.lat, guard.lon);
        if (Math.abs(x) > this.reach || Math.abs(y) > this.reach) return [];
        const kind = Date.now() - new Date(guard.at) > OLD_MS ? "guard old" : "guard";
        const label = { x, y: y - 1.4 * size, "font-size": 1.3 * size, "text-anchor": "middle" };
        return [drawn("circle", { class: kind, cx: x, cy: y, r: size }), drawn("text", label, guard.name)];
      }),
    );
  }
}

/* Incidents with a bar for each undecided promise; the bars advance by themselves between events. */
class Clocks {
  constructor(list) {
    this.list = list;
    this.bars = [];
    this.receivedAt = 0;
  }

  show({ incidents }) {
    this.receivedAt = performance.now();
    this.bars = [];
    const items = incidents.slice(0, 12).map((incident) => {
      const item = made("li");
      const where = [incident.priority.toLowerCase(), incident.status.toLowerCase().replaceAll("_", " "), incident.site?.name];
      item.append(made("b", `${incident.number} ${incident.summary}`), made("small", where.filter(Boolean).join(" · ")));
      for (const promise of incident.promises) {
        if (!UNDECIDED.has(promise.state) && promise.state !== "LATE") continue;
        const row = made("div", null, "clock");
        const bar = Object.assign(made("meter"), { min: 0, max: 1, low: 0.5, high: 0.999, optimum: 0 });
        const left = made("span");
        bar.setAttribute("aria-label", promise.name.replaceAll("_", " "));
        row.append(made("span", promise.name.replaceAll("_", " ")), bar, left);
        item.append(row);
        this.bars.push({ promise, bar, left });
      }
      return item;
    });
    this.list.replaceChildren(...(items.length ? items : [made("li", "No open incident", "hint")]));
    this.tick();
  }

  tick() {
    const gone = (performance.now() - this.receivedAt) / 1000;
    for (const { promise, bar, left } of this.bars) {
      const remaining = promise.remainingSeconds - (RUNS.has(promise.state) ? gone : 0);
      bar.value = promise.targetSeconds ? 1 - remaining / promise.targetSeconds : 1;
      left.textContent = promise.state === "LATE" || remaining < 0 ? "late" : span(remaining);
      left.className = promise.state === "LATE" || remaining < 0 ? "late" : "";
    }
  }
}

function span(seconds) {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours} h ${two(minutes)}` : `${minutes}:${two(rest)}`;
}

/* Follow one client and return a function that stops; `say` receives connection states and errors. */
export async function watch({ token, account, tiles, incidents, say }) {
  const { sites } = await ask(token, SITES, { account });
  const cards = sites.nodes.filter((site) => site.lat != null && (site.fenceRadiusM || site.fenceOutline)).map((site) => new Tile(site));
  tiles.replaceChildren(...cards.map((card) => card.element));
  const guards = new Map();
  const clocks = new Clocks(incidents);
  const redraw = () => cards.forEach((card) => card.show([...guards.values()]));
  const stops = [
    follow({
      query: POSITIONS, token, variables: { account },
      onEvent: ({ number, position }) => {
        if (position) guards.set(number, { name: nameOf(position.duty, number), ...position });
        else guards.delete(number);
        redraw();
      },
      onState: (kind, text) => {
        // After a reconnect all visible guards are sent again, but not that others left: start with none.
        if (kind === "connecting") guards.clear();
        say(kind, kind === "live" ? "Live: updated as guards move and incidents change" : text);
      },
    }),
    follow({
      query: STATUS, token, variables: { account },
      onEvent: (status) => {
        clocks.show(status);
        for (const card of cards) card.stand(status.sites.find(({ site }) => site.id === card.site.id));
      },
      onState: (kind, text) => kind === "trouble" && say(kind, text),
    }),
  ];
  const ticking = setInterval(() => clocks.tick(), 1000);
  redraw();
  return () => {
    clearInterval(ticking);
    stops.forEach((stop) => stop());
  };
}

/* Return the clients visible to the token's owner, the one with the newest incident first. */
export async function clients(token) {
  const { accounts, incidents } = await ask(token, CLIENTS);
  const last = incidents.nodes[0]?.account?.id;
  return accounts.nodes.sort((one, other) => (other.id === last) - (one.id === last));
}
