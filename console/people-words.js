/* Texts of the sign-in and access pages in Dutch and English; `data-words` names the text of an element. */

const LANGUAGE = "waarborg.language";

const WORDS = {
  en: {
    signIn: "Sign in", email: "E-mail address", password: "Password", forgotten: "Forgot your password?",
    withPasskey: "Sign in with a passkey", choose: "Which company?",
    chooseAbout: "This password is valid for several of your users.", restart: "Start again",
    factor: "Second step", code: "Code of your authenticator app", goOn: "Continue", recoveryCode: "Recovery code",
    usePasskey: "Use a passkey", passkeyAbout: "Use the passkey of this device, a phone or a security key.",
    useRecovery: "Use a recovery code",
    lostAll: "Lost everything? Ask the person who manages your access to remove your second factors.",
    wrongHost: "Passkeys work on {host} only. Open this page there.",
    passwordChanged: "Your password was changed. Sign in with the new one.", signedOut: "You are signed out.",
    access: "Your access", signOut: "Sign out", firstPage: "First page",
    needed: "Your company asks for a second factor. Set one up below; until then you can do nothing else.",
    app: "Authenticator app", appAbout: "An app on your phone shows a code of six digits that is asked for after the password.",
    appNone: "Not set up.", appOn: "Set up: signing in asks for its code.", appStart: "Set up an app", remove: "Remove",
    appScan: "Scan this with the app. If you cannot scan it, type the secret into the app:",
    appQr: "QR code for the authenticator app", appCode: "Code that the app shows now", cancel: "Cancel",
    passkeys: "Passkeys", passkeysAbout: "A passkey of this device, a phone or a security key signs in without a code.",
    passkeysNone: "No passkey yet.", passkeyName: "Name of the new passkey", passkeyAdd: "Add a passkey",
    passkeyExample: "Laptop", added: "added {at}", used: "last used {at}", unused: "never used",
    codes: "Recovery codes", codesAbout: "For when app and passkeys are lost. Each code works once.",
    codesNone: "None. You get them with your first second factor.", codesOn: "You have recovery codes.", codesNew: "Make new codes",
    codesOnce: "Keep these codes now, for instance on paper: they are not shown again.", copy: "Copy", copied: "Copied",
    print: "Print", kept: "I have kept them",
    passwordTitle: "Password", current: "Current password", fresh: "New password", again: "New password, once more",
    rule: "At least 12 characters. A sentence that only you know is the easiest.",
    passwordChange: "Change password", differ: "The two passwords are not the same.",
    keepDevices: "Keep phones that send positions signed in",
    sessions: "Sessions", sessionsAbout: "Where you are signed in.", here: "this one", started: "since {at}", seen: "last seen {at}",
    end: "End", endOthers: "End all other sessions", ended: "Ended.", somewhere: "Unknown program",
    confirm: "Confirm with your password", saved: "Done.",
    busy: "Too many attempts; wait a moment.", away: "The server does not answer. Try again in a moment.",
    WRONG: "The address or the password is wrong.", CURRENT: "The password is wrong.",
    SECOND_FACTOR_WRONG: "That code is wrong, or was used already.",
    OLD: "That took too long. Sign in again.", NO_PASSKEY: "This passkey is not known here.",
    cancelled: "The passkey was not used: you cancelled, or it took too long.",
    already: "This device has a passkey here already.",
    APP_CODE: "That is not the code that the app shows. Check the clock of your phone.",
    roles: {
      DISPATCHER: "dispatcher", OPS_MANAGER: "operations manager", MANAGEMENT: "management", GUARD: "guard",
      AUDITOR: "auditor", CLIENT_USER: "client user", CLIENT_ADMIN: "client administrator",
    },
  },
  nl: {
    signIn: "Inloggen", email: "E-mailadres", password: "Wachtwoord", forgotten: "Wachtwoord vergeten?",
    withPasskey: "Inloggen met een passkey", choose: "Welk bedrijf?",
    chooseAbout: "Dit wachtwoord past bij meerdere gebruikers van u.", restart: "Opnieuw beginnen",
    factor: "Tweede stap", code: "Code van uw authenticator-app", goOn: "Verder", recoveryCode: "Herstelcode",
    usePasskey: "Een passkey gebruiken", passkeyAbout: "Gebruik de passkey van dit apparaat, een telefoon of een beveiligingssleutel.",
    useRecovery: "Een herstelcode gebruiken",
    lostAll: "Alles kwijt? Vraag degene die uw toegang beheert om uw tweede factoren te verwijderen.",
    wrongHost: "Passkeys werken alleen op {host}. Open deze pagina daar.",
    passwordChanged: "Uw wachtwoord is gewijzigd. Log in met het nieuwe.", signedOut: "U bent uitgelogd.",
    access: "Uw toegang", signOut: "Uitloggen", firstPage: "Eerste pagina",
    needed: "Uw bedrijf vraagt om een tweede factor. Stel er hieronder een in; tot die tijd kunt u niets anders doen.",
    app: "Authenticator-app", appAbout: "Een app op uw telefoon toont een code van zes cijfers, die na het wachtwoord wordt gevraagd.",
    appNone: "Niet ingesteld.", appOn: "Ingesteld: bij het inloggen wordt om de code gevraagd.", appStart: "Een app instellen", remove: "Verwijderen",
    appScan: "Scan dit met de app. Lukt dat niet, typ dan het geheim in de app:",
    appQr: "QR-code voor de authenticator-app", appCode: "Code die de app nu toont", cancel: "Annuleren",
    passkeys: "Passkeys", passkeysAbout: "Met een passkey van dit apparaat, een telefoon of een beveiligingssleutel logt u in zonder code.",
    passkeysNone: "Nog geen passkey.", passkeyName: "Naam van de nieuwe passkey", passkeyAdd: "Een passkey toevoegen",
    passkeyExample: "Laptop", added: "toegevoegd {at}", used: "laatst gebruikt {at}", unused: "nooit gebruikt",
    codes: "Herstelcodes", codesAbout: "Voor als u app en passkeys kwijt bent. Elke code werkt één keer.",
    codesNone: "Geen. U krijgt ze bij uw eerste tweede factor.", codesOn: "U hebt herstelcodes.", codesNew: "Nieuwe codes maken",
    codesOnce: "Bewaar deze codes nu, bijvoorbeeld op papier: ze worden niet nog eens getoond.", copy: "Kopiëren", copied: "Gekopieerd",
    print: "Afdrukken", kept: "Ik heb ze bewaard",
    passwordTitle: "Wachtwoord", current: "Huidig wachtwoord", fresh: "Nieuw wachtwoord", again: "Nieuw wachtwoord, nog een keer",
    rule: "Minstens 12 tekens. Een zin die alleen u kent is het makkelijkst.",
    passwordChange: "Wachtwoord wijzigen", differ: "De twee wachtwoorden zijn niet gelijk.",
    keepDevices: "Telefoons die posities doorgeven ingelogd laten",
    sessions: "Sessies", sessionsAbout: "Waar u bent ingelogd.", here: "deze", started: "sinds {at}", seen: "laatst gezien {at}",
    end: "Beëindigen", endOthers: "Alle andere sessies beëindigen", ended: "Beëindigd.", somewhere: "Onbekend programma",
    confirm: "Bevestig met uw wachtwoord", saved: "Gedaan.",
    busy: "Te veel pogingen; wacht even.", away: "De server antwoordt niet. Probeer het zo nog eens.",
    WRONG: "Het adres of het wachtwoord klopt niet.", CURRENT: "Het wachtwoord klopt niet.",
    SECOND_FACTOR_WRONG: "Die code klopt niet, of is al gebruikt.",
    OLD: "Dat duurde te lang. Log opnieuw in.", NO_PASSKEY: "Deze passkey is hier niet bekend.",
    cancelled: "De passkey is niet gebruikt: u annuleerde, of het duurde te lang.",
    already: "Dit apparaat heeft hier al een passkey.",
    APP_CODE: "Dat is niet de code die de app toont. Controleer de klok van uw telefoon.",
    roles: {
      DISPATCHER: "centralist", OPS_MANAGER: "operationeel manager", MANAGEMENT: "directie", GUARD: "beveiliger",
      AUDITOR: "auditor", CLIENT_USER: "gebruiker van de klant", CLIENT_ADMIN: "beheerder van de klant",
    },
  },
};

const NAMES = { nl: "Nederlands", en: "English" };

/* Return the chosen language, else the browser's first one that is available, else Dutch. */
export function language() {
  const wanted = [localStorage.getItem(LANGUAGE), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((each) => each in WORDS) ?? "nl";
}

export const words = () => WORDS[language()];
export const filled = (name, values) => words()[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

/* Show the page's texts in the current language, and buttons to choose another one. */
export function showWords(onChange = () => {}) {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll("[data-words]")) element.textContent = words()[element.dataset.words];
  const buttons = Object.entries(NAMES).map(([tag, name]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, lang: tag });
    button.setAttribute("aria-pressed", String(tag === language()));
    button.addEventListener("click", () => {
      localStorage.setItem(LANGUAGE, tag);
      showWords(onChange);
      onChange();
    });
    return button;
  });
  document.getElementById("languages").replaceChildren(...buttons);
}

/* Return the text of an error, in the reader's language where one exists; `known` maps codes to names of texts. */
export function reasonOf(error, known = {}) {
  if (error instanceof TypeError) return words().away;
  if (error.name === "NotAllowedError" || error.name === "AbortError") return words().cancelled;
  if (error.name === "InvalidStateError") return words().already;
  if (error.status === 429) return words().busy;
  const name = known[error.code] ?? { SECOND_FACTOR_WRONG: "SECOND_FACTOR_WRONG" }[error.code];
  return name ? words()[name] : error.message;
}
