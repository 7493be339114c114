"""Small mapping profiles for tests."""

from domain.imports import Profile
from domain.imports.profile import parse

CASES = """
name = "cases"
title = "Cases"
time_zone = "Europe/Amsterdam"
key = "case"
skew_tolerance_s = 60

[into]
tenant = "a tenant"
account = "a client"
site = "a site"

[ticket]
opened_at = "opened"
agreed_at = "due"
priority = { column = "prio", map = { "1" = "critical", "2" = "high", "3" = "medium" } }
summary = { column = "what" }
category = { column = "type", otherwise = "none" }

[[facts]]
kind = "incident.closed"
at = "closed"

[calendars.office]
zone = "Europe/Amsterdam"
[calendars.office.hours]
mon = [["09:00", "17:00"]]
tue = [["09:00", "17:00"]]
wed = [["09:00", "17:00"]]
thu = [["09:00", "17:00"]]
fri = [["09:00", "17:00"]]

[agreement]
reference = "cases"
title = "Cases on time"
signed_on = 2020-01-01
in_force_from = 2020-01-01T00:00:00Z

[[agreement.promises]]
name = "agreed"
kind = "agreed_date"
calendar = "office"
[agreement.promises.targets]
critical = { elapsed_s = 0 }
high = { elapsed_s = 0 }
medium = { elapsed_s = 0 }

[[agreement.promises]]
name = "closed"
kind = "closure"
calendar = "office"
[agreement.promises.targets]
critical = { elapsed_s = 3600 }
high = { business_days = 1 }
medium = { business_days = 2 }
"""

LOG = """
name = "log"
title = "A log"
time_zone = "UTC"
key = "ticket"

[into]
tenant = "a tenant"
account = "a client"
site = "a site"

[ticket]
priority = { column = "prio", map = { "1" = "critical", "2" = "high", "3" = "medium", "4" = "low" } }
summary = "something"

[log]
at = "at"
order = "step"
state = "state"

[states]
"New" = "new"
"Active" = "in_progress"
"Waiting" = "waiting_on_client"
"Solved" = "resolved"
"Done" = "closed"
"-100" = "ignore"

[[updates]]
at = "at"
body = { column = "said" }
client_visible = true

[calendars.always]
zone = "UTC"
always_open = true

[agreement]
reference = "log"
title = "Tickets on time"
signed_on = 2020-01-01
in_force_from = 2020-01-01T00:00:00Z

[[agreement.promises]]
name = "response"
kind = "first_response"
calendar = "always"
[agreement.promises.targets]
critical = { elapsed_s = 900 }
high = { elapsed_s = 3600 }
medium = { elapsed_s = 14400 }

[[agreement.promises]]
name = "update"
kind = "next_update"
calendar = "always"
[agreement.promises.targets]
critical = { elapsed_s = 1800 }
high = { elapsed_s = 7200 }
medium = { elapsed_s = 14400 }

[[agreement.promises]]
name = "resolution"
kind = "resolution"
calendar = "always"
[agreement.promises.targets]
critical = { elapsed_s = 7200 }
high = { elapsed_s = 14400 }
medium = { elapsed_s = 86400 }
"""


def profile(text: str, *changes: tuple[str, str]) -> Profile:
    """A profile with some pieces of its text replaced."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(text, where="test")
