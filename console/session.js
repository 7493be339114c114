/* The session of this browser: its tokens, renewed by one tab at a time, and requests that send them along. */

const TOKENS = "waarborg.tokens";
const DEVICE = "waarborg.device";
const EARLY_MS = 60_000;

export class Denied extends Error {
  constructor(status, { message, extensions = {} }) {
    super(message);
    Object.assign(this, { status, code: extensions.code, more: extensions });
  }
}

const read = () => JSON.parse(localStorage.getItem(TOKENS) ?? "null");

/* Keep what a sign-in or a renewal answered. */
export function keep({ accessToken, refreshToken, expiresIn, device }) {
  localStorage.setItem(TOKENS, JSON.stringify({ accessToken, refreshToken, until: Date.now() + expiresIn * 1000 }));
  if (device) localStorage.setItem(DEVICE, device);
}

export const device = () => localStorage.getItem(DEVICE) ?? undefined;
export const forget = () => localStorage.removeItem(TOKENS);
export const isSignedIn = () => read() !== null;

/* The id of the session that the access token belongs to, as GraphQL writes it. */
export function sessionId() {
  const payload = read()?.accessToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const { sid } = payload ? JSON.parse(atob(payload)) : {};
  return sid ? btoa(`SignIn:${sid}`) : null;
}

/* An access token that is good for another minute; null when nobody is signed in. One tab renews for all of them. */
export async function accessToken() {
  const isFresh = (tokens) => tokens === null || tokens.until - EARLY_MS > Date.now();
  if (isFresh(read())) return read()?.accessToken ?? null;
  return exclusively(async () => {
    const tokens = read();
    if (isFresh(tokens)) return tokens?.accessToken ?? null;
    try {
      keep(await send("/auth/refresh", { refreshToken: tokens.refreshToken }));
    } catch (error) {
      if (error.status !== 401) throw error;
      forget();
    }
    return read()?.accessToken ?? null;
  });
}

/* Pages that are not served over TLS or on localhost have no locks; a second renewal within 30 s is answered too. */
const exclusively = (work) => (navigator.locks ? navigator.locks.request("waarborg.renew", work) : work());

/* Send JSON and read the answer; raises `Denied`. */
export async function send(path, body = {}, token = null) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json();
  if (!response.ok || answer.errors) throw new Denied(response.status, answer.errors[0]);
  return answer;
}

/* The same, in the name of who is signed in. */
export const sendSigned = async (path, body = {}) => send(path, body, await accessToken());

export async function graphql(query, variables = {}) {
  return (await sendSigned("/graphql", { query, variables })).data;
}

export async function signOut() {
  const refreshToken = read()?.refreshToken;
  forget();
  if (refreshToken) await send("/auth/logout", { refreshToken });
}
