// Reads an invitation with ical.js, as calendars built on it do, and says what it found.
import ICAL from 'ical.js';

const root = new ICAL.Component(ICAL.parse(JSON.parse(process.argv[2]).ics));
for (const zone of root.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
const one = root.getFirstSubcomponent('vevent');
const event = new ICAL.Event(one);
console.log(
  JSON.stringify({
    method: root.getFirstPropertyValue('method'),
    uid: event.uid,
    sequence: event.sequence,
    status: one.getFirstPropertyValue('status'),
    summary: event.summary,
    description: event.description,
    location: event.location,
    isDate: event.startDate.isDate,
    start: event.startDate.isDate ? event.startDate.toString() : event.startDate.toJSDate().toISOString(),
    end: event.endDate.isDate ? event.endDate.toString() : event.endDate.toJSDate().toISOString(),
    zone: event.startDate.isDate ? null : event.startDate.zone.tzid,
    organiser: event.organizer,
    attendees: event.attendees.map((each) => [each.getFirstValue(), each.getParameter('partstat'), each.getParameter('cn')]),
  }),
);
