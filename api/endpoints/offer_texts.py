"""Words of the page of shift offers, in Dutch and English."""

WORDS: dict[str, dict[str, str]] = {
    "nl": {
        "title": "Een dienst overnemen",
        "when": "Van {from_at} tot {until_at}.",
        "travel": "Wij verwachten dat u er in {minutes} minuten kunt zijn.",
        "explain": "De eerste die accepteert, heeft de dienst. Daarna staat de dienst op uw naam.",
        "accept": "Ik neem de dienst over",
        "done_title": "De dienst is van u",
        "done": "U neemt de dienst over. Meld het als u onderweg bent, en klok in als u er bent.",
        "taken_title": "Dit aanbod geldt niet meer",
        "taken": "De dienst is al overgenomen, of het aanbod is ingetrokken. Dank dat u wilde helpen.",
        "refused_title": "U kunt deze dienst niet overnemen",
        "refused": "U bent in die tijd al ingepland, of een regel over arbeidstijden of bevoegdheid staat het niet toe."
        " Bel de planning als dat niet klopt.",
        "unknown_title": "Deze link werkt niet",
        "unknown": "Open de link uit het bericht opnieuw, of kopieer hem helemaal.",
        "too_many_title": "Even geduld",
        "too_many": "Er komen te veel aanvragen van dit adres. Probeer het over een minuut opnieuw.",
    },
    "en": {
        "title": "Take a shift",
        "when": "From {from_at} until {until_at}.",
        "travel": "We expect that you need {minutes} minutes to get there.",
        "explain": "The first guard who accepts has the shift. From then on it is yours.",
        "accept": "I take the shift",
        "done_title": "The shift is yours",
        "done": "You take the shift. Say so when you are on the way, and clock in when you are there.",
        "taken_title": "This offer no longer holds",
        "taken": "The shift is taken, or the offer was withdrawn. Thank you for wanting to help.",
        "refused_title": "You cannot take this shift",
        "refused": "You are on another shift then, or a rule on working time or qualifications does not allow it."
        " Call the planning if that is wrong.",
        "unknown_title": "This link does not work",
        "unknown": "Open the link in the message again, or copy all of it.",
        "too_many_title": "One moment",
        "too_many": "There are too many requests from this address. Try again in a minute.",
    },
}
