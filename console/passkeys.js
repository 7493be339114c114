/* Passkeys: the options and answers of WebAuthn, between JSON and what browsers take and give. */

export const canPasskeys = () => "PublicKeyCredential" in window;

/* Passkeys belong to one host; on another one a browser refuses them. */
export const isAtHome = (host) => location.hostname === host || location.hostname.endsWith(`.${host}`);

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (credentials) => credentials?.map((each) => ({ ...each, id: bytes(each.id) }));

/* Have an authenticator make a passkey. */
export async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  return written(await navigator.credentials.create({ publicKey }), ["clientDataJSON", "attestationObject"]);
}

/* Have an authenticator answer a challenge. */
export async function get(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const answer = await navigator.credentials.get({ publicKey });
  return written(answer, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
}

function written({ id, rawId, type, response }, fields) {
  const told = Object.fromEntries(fields.filter((name) => response[name]).map((name) => [name, text(response[name])]));
  return { id, rawId: text(rawId), type, response: told, clientExtensionResults: {} };
}
