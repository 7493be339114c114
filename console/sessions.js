/* The sessions of the signed-in user: list them and end them. */

import { filled, language, words } from "/console/people-words.js";
import { graphql, sessionId } from "/console/session.js";

const MINE = `query Sessions($user: ID!) {
  sessions(userId: $user, goingOn: true, first: 100) { nodes { id userAgent address startedAt seenAt } }
}`;
const END = `mutation End($id: ID!) { endSession(input: { id: $id }) { __typename ... on Refusal { message } } }`;

const instant = (text) => new Date(text).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });

async function mine() {
  const { viewer } = await graphql("{ viewer { user { id } } }");
  return (await graphql(MINE, { user: viewer.user.id })).sessions.nodes;
}

async function end(id) {
  const { endSession } = await graphql(END, { id });
  if (endSession.message) throw new Error(endSession.message);
}

/* Return browser and system ("Chrome · Linux") from a User-Agent header. */
function program(userAgent) {
  if (!userAgent) return words().somewhere;
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(`${name}/`));
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].find((name) => userAgent.includes(name));
  const name = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser ?? userAgent.split(/[ /]/)[0];
  return [name, system].filter(Boolean).join(" · ");
}

/* Show the running sessions, the current one first. */
export async function showSessions(list, { row, button, again }) {
  const own = sessionId();
  const sessions = (await mine()).sort((one, other) => (other.id === own) - (one.id === own));
  const rows = sessions.map(({ id, userAgent, address, startedAt, seenAt }) => {
    const name = program(userAgent);
    const title = id === own ? `${name} (${words().here})` : name;
    const seen = seenAt && filled("seen", { at: instant(seenAt) });
    const detail = [address, filled("started", { at: instant(startedAt) }), seen].filter(Boolean).join(" · ");
    const work = async () => {
      await end(id);
      await again();
    };
    return row(title, detail, id === own ? null : button(words().end, name, work));
  });
  list.replaceChildren(...rows);
}

export async function endOthers() {
  const own = sessionId();
  for (const { id } of await mine()) if (id !== own) await end(id);
}
