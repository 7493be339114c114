/* Passkeys: converts the options and answers of WebAuthn between JSON and the browser's types. */

export const canPasskeys = () => "PublicKeyCredential" in window;

/* Return whether passkeys of `host` work here: browsers refuse them on other hosts. */
export const isAtHome = (host) => location.hostname === host || location.hostname.endsWith(`.${host}`);

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (credentials) => credentials?.map((each) => ({ ...each, id: bytes(each.id) }));

/* Create a passkey with an authenticator. */
export async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  return written(await navigator.credentials.create({ publicKey }), ["clientDataJSON", "attestationObject"]);
}

/* Sign a challenge with an authenticator. */
export async function get(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const answer = await navigator.credentials.get({ publicKey });
  return written(answer, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
}

function written({ id, rawId, type, response }, fields) {
  const encoded = Object.fromEntries(fields.filter((name) => response[name]).map((name) => [name, text(response[name])]));
  return { id, rawId: text(rawId), type, response: encoded, clientExtensionResults: {} };
}
