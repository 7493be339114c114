/* The session of this browser: its tokens, renewed by one tab at a time, and requests with them. */

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

/* Store the tokens of a sign-in or a renewal. */
export function keep({ accessToken, refreshToken, expiresIn, device }) {
  localStorage.setItem(TOKENS, JSON.stringify({ accessToken, refreshToken, until: Date.now() + expiresIn * 1000 }));
  if (device) localStorage.setItem(DEVICE, device);
}

export const device = () => localStorage.getItem(DEVICE) ?? undefined;
export const forget = () => localStorage.removeItem(TOKENS);
export const isSignedIn = () => read() !== null;

/* Return the global id of the access token's session. */
export function sessionId() {
  const payload = read()?.accessToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const { sid } = payload ? JSON.parse(atob(payload)) : {};
  return sid ? btoa(`SignIn:${sid}`) : null;
}

/* Return an access token that is valid for another minute, or null when signed out. One tab renews it for all tabs. */
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

/* Browsers have no locks on pages without TLS (except localhost); the server accepts a second renewal within 30 s. */
const exclusively = (work) => (navigator.locks ? navigator.locks.request("waarborg.renew", work) : work());

/* Post JSON and return the response; throws `Denied`. */
export async function send(path, body = {}, token = null) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json();
  if (!response.ok || answer.errors) throw new Denied(response.status, answer.errors[0]);
  return answer;
}

/* Do the same with the access token of the signed-in user. */
export const sendSigned = async (path, body = {}) => send(path, body, await accessToken());

export async function graphql(query, variables = {}) {
  return (await sendSigned("/graphql", { query, variables })).data;
}

export async function signOut() {
  const refreshToken = read()?.refreshToken;
  forget();
  if (refreshToken) await send("/auth/logout", { refreshToken });
}
