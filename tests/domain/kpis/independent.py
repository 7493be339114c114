"""The KPIs once more, as plain SQL on the raw tables: numerator, denominator, number of facts and median."""

_INCIDENT = """SELECT {num} AS num, {den} AS den FROM incident i JOIN account a ON a.id = i.account_id
 WHERE i.{at} >= :begin AND i.{at} < :until {where} AND {{scope}}"""


def _incident(at: str, num: str, den: str, where: str = "") -> str:
    return _INCIDENT.format(at=at, num=num, den=den, where=where)


_US = "(extract(epoch FROM {0}) * 1000000)::bigint"
_SOLVED = "AND coalesce(i.outcome, 'solved') IN ('solved', 'false_alarm')"
_WATCH = "(SELECT w.site_id FROM promise_watch w WHERE w.unit_id = {0}.unit_id)"
_ANSWER = """SELECT {num} AS num, 1 AS den FROM survey_answer x, survey_response i, account a
 WHERE x.response_id = i.id AND i.account_id = a.id AND x.kind = '{kind}' AND x.number BETWEEN {low} AND {high}
 AND i.answered_at >= :begin AND i.answered_at < :until AND {{scope}}"""
_SHIFT = """SELECT {num} AS num, {den} AS den FROM shift i, account a WHERE i.account_id = a.id
 AND i.state IN ('published', 'confirmed', 'running', 'ended') AND i.until_at >= :begin AND i.until_at < :until
 {where} AND {{scope}}"""
_PROMISE = (
    """SELECT {num} AS num, 1 AS den FROM account a JOIN
 (SELECT p.*, """
    + _WATCH.format("p")
    + """ AS site_id FROM promise p) i ON i.account_id = a.id
 WHERE NOT i.internal AND i.state IN ('kept', 'late') AND i.decided_at >= :begin AND i.decided_at < :until
 AND {{scope}}"""
)
_INVOICE = """SELECT {num} AS num, {den} AS den FROM (SELECT v.*, NULL::uuid AS site_id FROM invoice v) i, account a
 WHERE a.id = i.account_id {where} AND (({day} + time '00:00') AT TIME ZONE a.time_zone) >= :begin
 AND (({day} + time '00:00') AT TIME ZONE a.time_zone) < :until AND {{scope}}"""


def _kind(kind: str) -> str:
    return _incident("opened_at", "1", "0", f"AND i.kind = '{kind}'")


SQL: dict[str, str] = {
    "promises_kept": _PROMISE.format(num="(i.state = 'kept')::int"),
    "contested_verdicts": _PROMISE.format(
        num="least(1, (SELECT count(*) FROM dispute d WHERE d.promise_id = i.id))"
    ),
    "commitments_kept": """SELECT CASE WHEN i.done_at IS NULL OR i.done_at > i.due_at THEN 0 ELSE 1 END AS num, 1 AS den
 FROM account a, (SELECT c.*, NULL::uuid AS site_id, CASE WHEN c.done_at < c.due_at THEN c.done_at
 ELSE c.due_at END AS at FROM commitment c) i WHERE i.account_id = a.id AND NOT i.internal
 AND i.withdrawn_reason IS NULL AND i.at >= :begin AND i.at < :until AND {scope}""",
    "status_greener": """SELECT (i.is_greener)::int AS num, 1 AS den FROM account a JOIN
 (SELECT s.*, NULL::uuid AS site_id FROM status_report s) i ON i.account_id = a.id
 WHERE i.confirmed IS NOT NULL AND i.confirmed_at >= :begin AND i.confirmed_at < :until AND {scope}""",
    "changed_verdicts": """SELECT (i.state = 'changed')::int AS num, 1 AS den FROM account a JOIN
 (SELECT d.*, (SELECT w.site_id FROM promise p JOIN promise_watch w USING (unit_id) WHERE p.id = d.promise_id)
 AS site_id FROM dispute d) i ON i.account_id = a.id WHERE i.state <> 'open'
 AND i.decided_at >= :begin AND i.decided_at < :until
 AND {scope}""",
    "response_time": _incident(
        "acknowledged_at", _US.format("i.acknowledged_at - i.opened_at"), "1"
    ),
    "inquiry_response_time": _incident(
        "acknowledged_at",
        _US.format("i.acknowledged_at - i.opened_at"),
        "1",
        "AND i.kind = 'inquiry'",
    ),
    "resolution_time": _incident(
        "resolved_at", _US.format("i.resolved_at - i.opened_at"), "1", _SOLVED
    ),
    "first_contact_resolution": _incident(
        "resolved_at",
        "CASE WHEN i.reassigned_count + i.reopened_count = 0 AND i.client_contact_count < 2 THEN 1 ELSE 0 END",
        "1",
        _SOLVED,
    ),
    "reopened": _incident("resolved_at", "least(i.reopened_count, 1)", "1"),
    "incidents": _incident("opened_at", "1", "0"),
    "complaints": _kind("complaint"),
    "inquiries": _kind("inquiry"),
    "service_requests": _kind("service_request"),
    "alarms": _kind("alarm"),
    "maintenance_requests": _kind("maintenance"),
    "enhancement_requests": _kind("enhancement"),
    "csat": _ANSWER.format(num="(x.number > 3)::int", kind="rating", low=1, high=5),
    "nps": _ANSWER.format(
        num="(x.number > 8)::int - (x.number < 7)::int", kind="nps", low=0, high=10
    ),
    "ces": _ANSWER.format(num="x.number", kind="ces", low=1, high=7),
    "survey_response_rate": """SELECT i.is_answered::int AS num, 1 AS den FROM account a JOIN
 (SELECT v.*, NULL::uuid AS site_id FROM survey_invitation v) i ON i.account_id = a.id
 LEFT JOIN message m ON m.intent = 'survey:' || i.id AND m.contact_id = i.contact_id
 WHERE i.skipped IS NULL AND NOT (NOT i.is_answered AND coalesce(m.state IN ('bounced', 'failed'), false))
 AND i.decided_at >= :begin AND i.decided_at < :until AND {scope}""",
    "coverage": _SHIFT.format(
        num="""CASE WHEN i.started_at IS NULL THEN 0 ELSE greatest(0,
 (extract(epoch FROM least(coalesce(i.ended_at, i.until_at), i.until_at)) * 1000000)::bigint
 - (extract(epoch FROM greatest(i.started_at, i.from_at)) * 1000000)::bigint) END""",
        den=_US.format("i.until_at - i.from_at"),
        where="",
    ),
    "punctuality": _SHIFT.format(
        num="coalesce((i.started_at - i.from_at <= interval '5 minutes')::int, 0)",
        den="1",
        where="AND i.user_id IS NOT NULL",
    ),
    "credits_share": _INVOICE.format(
        num="0", den="i.net_cents", day="i.issued_on", where="AND i.currency = 'EUR'"
    )
    + """ UNION ALL SELECT i.amount_cents, 0 FROM account a, journal_entry e,
 (SELECT l.*, NULL::uuid AS site_id FROM journal_line l) i
 WHERE i.account_id = a.id AND e.id = i.entry_id AND e.kind IN ('grant', 'adjust') AND i.currency = 'EUR'
 AND i.book IN ('service_recovery', 'goodwill') AND e.at >= :begin AND e.at < :until AND {scope}""",
    "billing_accuracy": _INVOICE.format(
        num="""(NOT EXISTS (SELECT 1 FROM delivered_line d WHERE d.agreement_id = i.agreement_id
 AND d.quantity_milli < 0 AND d.delivered_on >= i.period_from_on AND d.delivered_on <= i.period_until_on
 AND coalesce((SELECT o.period_from_on FROM invoice o JOIN invoice_line k ON k.invoice_id = o.id
 WHERE k.id = d.invoice_line_id), date '9999-01-01') > i.period_from_on))::int""",
        den="1",
        day="i.issued_on",
        where="",
    ),
    "on_time_payment": _INVOICE.format(
        num="""(i.gross_cents - coalesce((SELECT sum(n.gross_cents) FROM credit_note n WHERE n.invoice_id = i.id), 0)
 <= coalesce((SELECT sum(p.amount_cents) FROM payment p WHERE p.invoice_id = i.id AND p.amount_cents > 0
 AND p.reversed_at IS NULL AND p.paid_on < i.due_on + 1), 0))::int""",
        den="1",
        day="i.due_on + 1",
        where="",
    ),
    "proactive_notices": """SELECT i.told::int AS num, 1 AS den FROM account a JOIN (
 SELECT p.account_id, """
    + _WATCH.format("p")
    + """ AS site_id, p.decided_at AS at,
 EXISTS (SELECT 1 FROM incident_update u WHERE u.incident_id = p.unit_id AND u.client_visible
 AND u.at > coalesce(p.started_at, '-infinity') AND u.at < p.decided_at)
 OR EXISTS (SELECT 1 FROM message m WHERE m.account_id = p.account_id AND m.intent LIKE '%' || p.unit_id || '%'
 AND m.intent NOT LIKE '%opened' AND m.sent_at > coalesce(p.started_at, '-infinity') AND m.sent_at < p.decided_at)
 AS told FROM promise p WHERE p.unit_kind = 'incident' AND p.state = 'late' AND NOT p.internal
 UNION ALL SELECT t.account_id, NULL, lower(t.in_force), EXISTS (SELECT 1 FROM message m WHERE
 m.account_id = t.account_id AND m.sent_at < lower(t.in_force)
 AND (m.intent = 'agreement:' || t.agreement_id OR m.intent LIKE '%' || t.id || '%' AND m.intent NOT LIKE '%opened'))
 FROM terms t WHERE t.number > 1
 UNION ALL SELECT g.account_id, NULL, g.ended_at, EXISTS (SELECT 1 FROM message m WHERE m.account_id = g.account_id
 AND m.intent LIKE '%' || g.id || '%' AND m.sent_at < g.ended_at AND m.intent NOT LIKE '%opened')
 FROM agreement g WHERE g.ended_at IS NOT NULL
 ) i ON i.account_id = a.id WHERE i.at >= :begin AND i.at < :until AND {scope}""",
}
SCOPE = """a.tenant_id = :tenant AND (CAST(:account AS uuid) IS NULL OR a.id = :account)
 AND (CAST(:site AS uuid) IS NULL OR i.site_id = :site) AND (CAST(:segment AS text) IS NULL OR a.segment = :segment)
 AND (CAST(:tier AS text) IS NULL OR a.service_tier = :tier)"""
TOTAL = """SELECT coalesce(sum(num), 0)::bigint, coalesce(sum(den), 0)::bigint, count(*) FILTER (WHERE den <> 0),
 count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY num::float8) FROM ({}) AS x"""


def rows(key: str) -> str:
    """Return the statement of the single facts of a KPI, with the same parameters: numerator and denominator."""
    facts = SQL[key].replace("{scope}", SCOPE)
    return f"SELECT num::bigint, den::bigint FROM ({facts}) AS x"


def query(key: str) -> str:
    """Return the statement of a KPI, with the parameters tenant, account, site, segment, tier, begin and until."""
    return TOTAL.format(SQL[key].replace("{scope}", SCOPE))
