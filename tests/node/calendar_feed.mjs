// Read a calendar with ical.js, as calendar programs in browsers do; print its events.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((each) => {
  const event = new ICAL.Event(each);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    status: each.getFirstPropertyValue("status"),
    from: event.startDate.toJSDate().toISOString(),
    until: event.endDate.toJSDate().toISOString(),
    hours: (event.endDate.toJSDate() - event.startDate.toJSDate()) / 3_600_000,
  };
});
console.log(JSON.stringify(events));
