/* Access page of the signed-in user: second factors, recovery codes, password and sessions. */

import { canPasskeys, create, isAtHome } from "/console/passkeys.js";
import { filled, language, reasonOf, showWords, words } from "/console/people-words.js";
import { forget, graphql, isSignedIn, sendSigned, signOut } from "/console/session.js";
import { endOthers, showSessions } from "/console/sessions.js";

const at = (id) => document.getElementById(id);
const KNOWN = { UNAUTHENTICATED: "CURRENT" };

const instant = (text) => new Date(text).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });

function leave(after) {
  forget();
  location.assign(after ? `/sign-in?after=${after}` : "/sign-in?next=/access");
}

function say(text) {
  at("note").hidden = !text;
  at("note").textContent = text;
}

function complain(text) {
  at("error").hidden = !text;
  at("error").textContent = text;
  if (text) at("error").scrollIntoView({ block: "nearest" });
}

/* Run `work`, one at a time, and show its result or error. `known` maps error codes to names of texts. */
const attempt = (work, known = KNOWN) => {
  let busy = false;
  return async (event) => {
    event?.preventDefault();
    if (busy) return;
    busy = true;
    complain("");
    say("");
    try {
      await work(event);
    } catch (error) {
      if (error.status === 401 && error.message.startsWith("Sign in first")) return leave();
      complain(reasonOf(error, known));
    } finally {
      busy = false;
    }
  };
};

/* Ask for the current password; return null when the dialog is cancelled. */
function password() {
  const [dialog, form] = [at("confirm"), at("confirm-form")];
  form.reset();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? form.elements.current.value : null), { once: true });
  });
}

/* Send to a path that needs the current password; return null when the dialog is cancelled. */
async function confirmed(path) {
  const current = await password();
  return current === null ? null : { answer: await sendSigned(path, { current }) };
}

function row(title, detail, action) {
  const [item, about, small] = ["li", "div", "small"].map((kind) => document.createElement(kind));
  small.textContent = detail;
  about.append(title, small);
  item.append(about);
  if (action) item.append(action);
  return item;
}

function button(text, label, work) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.setAttribute("aria-label", `${text}: ${label}`);
  made.addEventListener("click", attempt(work));
  return made;
}

async function showFactors() {
  const { totp, recoveryCodes, passkeys, secondFactorNeeded } = await sendSigned("/auth/factors");
  at("app-state").textContent = totp ? words().appOn : words().appNone;
  at("app-start").hidden = totp || !at("app-setup").hidden;
  at("app-remove").hidden = !totp;
  at("codes-state").textContent = recoveryCodes ? words().codesOn : words().codesNone;
  at("codes-new").hidden = !(totp || passkeys.length);
  at("needed").hidden = !secondFactorNeeded;
  const rows = passkeys.map(({ id, name, addedAt, usedAt }) => {
    const used = usedAt ? filled("used", { at: instant(usedAt) }) : words().unused;
    const detail = `${filled("added", { at: instant(addedAt) })} · ${used}`;
    const path = `/auth/passkeys/${encodeURIComponent(id)}/remove`;
    return row(name, detail, button(words().remove, name, () => changed(path)));
  });
  at("passkeys").replaceChildren(...(rows.length ? rows : [row(words().passkeysNone, "")]));
}

/* Remove a second factor after asking for the password, and show the remaining ones. */
async function changed(path) {
  if ((await confirmed(path)) === null) return;
  await show();
  say(words().saved);
}

function showCodes(codes) {
  if (!codes) return;
  at("codes-list").replaceChildren(...codes.map((code) => Object.assign(document.createElement("li"), { textContent: code })));
  at("codes-shown").hidden = false;
  at("codes-shown-title").focus();
}

function hideSetup() {
  at("app-setup").hidden = true;
  at("app-form").reset();
  at("app-qr").removeAttribute("src");
  at("app-secret").textContent = "";
}

async function startApp() {
  const begun = await confirmed("/auth/totp");
  if (begun === null) return;
  at("app-qr").src = begun.answer.qr;
  at("app-qr").alt = words().appQr;
  at("app-secret").textContent = begun.answer.secret.match(/.{1,4}/g).join(" ");
  at("app-setup").hidden = false;
  at("app-start").hidden = true;
  at("app-form").elements.code.focus();
}

async function confirmApp({ target }) {
  const code = new FormData(target).get("code").replaceAll(" ", "");
  const { recoveryCodes } = await sendSigned("/auth/totp/confirm", { code });
  hideSetup();
  await show();
  showCodes(recoveryCodes);
}

async function addPasskey({ target }) {
  const name = new FormData(target).get("name");
  const options = await confirmed("/auth/passkeys/options");
  if (options === null) return;
  if (!isAtHome(options.answer.rp.id)) return complain(filled("wrongHost", { host: options.answer.rp.id }));
  const { recoveryCodes } = await sendSigned("/auth/passkeys", { name, credential: await create(options.answer) });
  target.reset();
  await show();
  say(words().saved);
  showCodes(recoveryCodes);
}

async function changePassword({ target }) {
  const { current, password: fresh, again } = Object.fromEntries(new FormData(target));
  if (fresh !== again) return complain(words().differ);
  await sendSigned("/auth/password", { current, password: fresh });
  leave("changed");
}

async function show() {
  if (!isSignedIn()) return leave();
  await showFactors();
  at("sessions-card").hidden = !at("needed").hidden;
  const viewer = at("needed").hidden ? (await graphql("{ viewer { user { name } tenant { name } } }"))?.viewer : null;
  at("who").textContent = viewer ? `${viewer.user.name}, ${viewer.tenant.name}` : "";
  if (viewer) await showSessions(at("sessions"), { row, button, again: show });
  at("end-others").hidden = at("sessions").children.length < 2;
  document.querySelector("main").hidden = false;
}

at("app-start").addEventListener("click", attempt(startApp));
at("app-form").addEventListener("submit", attempt(confirmApp, { INVALID: "APP_CODE" }));
at("app-remove").addEventListener("click", attempt(() => changed("/auth/totp/remove")));
at("passkey-form").addEventListener("submit", attempt(addPasskey));
at("password-form").addEventListener("submit", attempt(changePassword));
at("codes-new").addEventListener(
  "click",
  attempt(async () => {
    const made = await confirmed("/auth/recovery-codes");
    showCodes(made?.answer.recoveryCodes);
  }),
);
at("codes-copy").addEventListener(
  "click",
  attempt(async () => {
    await navigator.clipboard.writeText([...at("codes-list").children].map((item) => item.textContent).join("\n"));
    say(words().copied);
  }),
);
at("codes-print").addEventListener("click", () => print());
at("codes-kept").addEventListener("click", () => {
  at("codes-shown").hidden = true;
  at("codes-list").replaceChildren();
});
at("end-others").addEventListener(
  "click",
  attempt(async () => {
    await endOthers();
    await show();
    say(words().ended);
  }),
);
at("sign-out").addEventListener(
  "click",
  attempt(async () => {
    await signOut();
    leave("out");
  }),
);
at("passkey-form").hidden = !canPasskeys();
showWords(attempt(show));
attempt(show)();
