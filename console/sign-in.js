/* Sign-in page: password, choice of company where there are several, and second factor. */

import { canPasskeys, get, isAtHome } from "/console/passkeys.js";
import { device, keep, send } from "/console/session.js";
import { reasonOf, showWords, words } from "/console/people-words.js";

const at = (id) => document.getElementById(id);
const STEPS = ["password-step", "choice-step", "factor-step"];

let asked = {}; // the credentials sent first, sent again with the chosen company
let challenge = null;

function show(step) {
  for (const each of STEPS) at(each).hidden = each !== step;
  complain("");
  const first = [...at(step).querySelectorAll("input")].find((input) => !input.closest("[hidden]"));
  (first ?? at(step).querySelector("h2")).focus();
}

function complain(text) {
  at("error").hidden = !text;
  at("error").textContent = text;
  if (text) at("note").hidden = true;
}

/* Return the page to open after signing in: a page of this site, else the first page. */
function next() {
  const wanted = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return wanted.origin === location.origin ? wanted.href : "/";
}

function enter(tokens) {
  keep(tokens);
  location.assign(tokens.secondFactorNeeded ? "/access" : next());
}

async function signIn(ask) {
  asked = ask;
  try {
    enter(await send("/auth/login", { ...ask, device: device() }));
  } catch (error) {
    if (error.code === "CHOOSE_USER") return choose(error.more.choices);
    if (error.code === "SECOND_FACTOR_NEEDED") return askFactor(error.more);
    throw error;
  }
}

function choose(choices) {
  const items = choices.map(({ user, company, name, role }) => {
    const [item, button, small] = ["li", "button", "small"].map((kind) => document.createElement(kind));
    small.textContent = `${name} · ${words().roles[role] ?? role}`;
    button.append(company, small);
    button.type = "button";
    button.addEventListener("click", attempt(() => signIn({ ...asked, user }), "WRONG"));
    item.append(button);
    return item;
  });
  at("choices").replaceChildren(...items);
  show("choice-step");
}

function askFactor(more) {
  challenge = more;
  const has = (method) => more.methods.includes(method);
  at("code-form").hidden = !has("totp");
  at("passkey-second").hidden = at("passkey-about").hidden = !(more.passkey && canPasskeys());
  at("passkey-second").className = has("totp") ? "" : "primary";
  at("use-recovery").hidden = !has("recovery");
  at("recovery-form").hidden = true;
  show("factor-step");
}

async function answer(proof) {
  try {
    enter(await send("/auth/second-factor", { challenge: challenge.challenge, ...proof }));
  } catch (error) {
    if (error.code === "UNAUTHENTICATED") show("password-step"); // the challenge has expired
    throw error;
  }
}

async function byPasskey(options, use) {
  if (!isAtHome(options.rpId)) return complain(words().wrongHost.replace("{host}", options.rpId));
  await use(await get(options));
}

/* Run `work`, one at a time, and show its error; `unknown` names the text for failed authentication. */
function attempt(work, unknown) {
  let busy = false;
  return async (event) => {
    event?.preventDefault();
    if (busy) return;
    busy = true;
    complain("");
    try {
      await work(event);
    } catch (error) {
      complain(reasonOf(error, { UNAUTHENTICATED: unknown }));
    } finally {
      busy = false;
    }
  };
}

const fieldsOf = (form) => Object.fromEntries(new FormData(form));

at("password-form").addEventListener("submit", attempt(({ target }) => signIn(fieldsOf(target)), "WRONG"));
at("code-form").addEventListener(
  "submit",
  attempt(({ target }) => answer({ code: fieldsOf(target).code.replaceAll(" ", "") }), "OLD"),
);
at("recovery-form").addEventListener("submit", attempt(({ target }) => answer(fieldsOf(target)), "OLD"));
at("passkey-second").addEventListener(
  "click",
  attempt(() => byPasskey(challenge.passkey, (passkey) => answer({ passkey })), "OLD"),
);
at("passkey-alone").addEventListener(
  "click",
  attempt(async () => {
    const use = async (credential) => enter(await send("/auth/passkey", { credential }));
    await byPasskey(await send("/auth/passkey/options"), use);
  }, "NO_PASSKEY"),
);
at("use-recovery").addEventListener("click", () => {
  at("recovery-form").hidden = false;
  at("code-form").hidden = at("passkey-about").hidden = at("use-recovery").hidden = true;
  at("recovery-form").elements.recoveryCode.focus();
});
for (const button of document.querySelectorAll(".restart")) {
  button.addEventListener("click", () => {
    asked = {};
    at("password-form").reset();
    show("password-step");
  });
}
at("passkey-alone").hidden = !canPasskeys();
showWords();
const note = { changed: "passwordChanged", out: "signedOut" }[new URLSearchParams(location.search).get("after")];
if (note) {
  at("note").dataset.words = note;
  at("note").hidden = false;
  showWords();
}
