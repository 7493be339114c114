/* Cards with the state of every part of the server. */

export const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text != null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const PARTS = {
  postgres: ["PostgreSQL", ({ version }) => `${version ? `${version}, ` : ""}connected`],
  migrations: ["Schema", ({ revision }) => `up to date (${revision})`],
  relay: ["Worker", ({ lagSeconds }) => `running, ${lagSeconds < 1 ? "no delay" : `${Math.round(lagSeconds)} s behind`}`],
  fence: ["Row security", () => "on: each company sees its own rows only"],
  outbox: ["Jobs", jobs],
  redis: ["Redis", ({ version }) => `${version ? `${version}, ` : ""}connected`],
};
const LATE_ONLY = new Set(["redis", "relay", "outbox"]); // without these, answers are late but correct

function jobs({ pending, failed, dead, lagSeconds }) {
  const counts = [pending && `${pending} scheduled or waiting`, failed && `${failed} failed, to be retried`, dead && `${dead} given up`];
  const late = lagSeconds > 5 ? [`${Math.round(lagSeconds)} s late`] : [];
  return [...counts.filter(Boolean), ...late].join(", ") || "all done";
}

/* Show the parts that /readyz reports, as a list of cards. */
export async function showParts(list) {
  const cards = [];
  const card = (name, kind, note) => {
    const item = element("li", null, kind);
    item.append(element("b", name), element("small", note));
    cards.push(item);
  };
  try {
    const response = await fetch("/readyz");
    const { parts } = await response.json();
    card("API", response.ok ? "ready" : "waiting", `${response.ok ? "ready" : "not ready"} on ${location.host}`);
    for (const [name, [title, describe]] of Object.entries(PARTS)) {
      const part = parts[name];
      const troubled = part.failed > 0 || part.dead > 0;
      const kind = part.ready && !troubled ? "ready" : LATE_ONLY.has(name) ? "waiting" : "missing";
      // How many jobs wait, and how late, is known with the reason; of other parts only the reason is.
      const note = part.why && part.pending ? `${describe(part)}: ${part.why}` : (part.why ?? describe(part));
      card(title, kind, note);
    }
  } catch {
    card("API", "missing", "does not answer; is Waarborg still running?");
  }
  list.replaceChildren(...cards);
}
