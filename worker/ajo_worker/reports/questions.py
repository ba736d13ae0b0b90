"""What a report asks: roll-ups, so that it takes as long for ten million triggers as for ten.

$1 and $2 are the while, $3 the campaign or null. The views of the schema ``audit`` are all that is read, so an auditor
can make the report.
"""

# Each trigger has one system that most of its delay is charged to: so none is counted twice.
MINUTES = """
    SELECT minute, campaign, lane, systems, computed_at, triggers, sending, parked, accepted, rejected, expired,
           unconfirmed, possible_duplicates, attempts, departed, delivered, failed, clock_skew,
           coalesce((blamed ->> 'not-yet-known')::int, 0) AS not_yet_known,
           (SELECT coalesce(sum(b.value::int), 0) FROM jsonb_each_text(blamed) AS b
            WHERE b.key NOT IN ('none', 'not-yet-known', 'clocks')) AS late
    FROM audit.trigger_minutes
    WHERE minute >= $1 AND minute < $2 AND ($3::text IS NULL OR campaign = $3)
"""
# Steps ($4) begin at round times of the clock, such as 14:10.
AT = "date_bin($4::interval, minute, '2000-01-01 00:00+00') AS at"
STEPS = f"SELECT *, {AT} FROM ({MINUTES}) AS minutes"  # noqa: S608 - built from the text above
# Grouped four ways at once; which one is told by what is null: every minute, every step, every campaign, all.
COUNTS = f"""
    SELECT minute, at, campaign, lane,
           sum(triggers)::int AS triggers, sum(not_yet_known)::int AS not_yet_known,
           sum(late)::int AS late,
           sum(sending)::int AS sending, sum(parked)::int AS parked, sum(accepted)::int AS accepted,
           sum(rejected)::int AS rejected, sum(expired)::int AS expired, sum(unconfirmed)::int AS unconfirmed,
           sum(possible_duplicates)::int AS possible_duplicates, sum(attempts)::int AS attempts,
           sum(departed)::int AS departed, sum(delivered)::int AS delivered, sum(failed)::int AS failed,
           sum(clock_skew)::int AS clock_skew
    FROM ({STEPS}) AS m
    GROUP BY GROUPING SETS ((minute), (at), (campaign, lane), ())
    ORDER BY 1, 2, triggers DESC, 3, 4
"""  # noqa: S608 - built from the text above
COMPUTED_UNTIL = (
    "SELECT max(minute) + interval '1 minute' FROM audit.trigger_minutes WHERE minute >= $1 AND minute < $2"
)
FAILED_MINUTES = """
    SELECT count(*)::int FROM audit.rollup_failures WHERE minute >= $1 AND minute < $2
"""
SYSTEMS = f"""
    SELECT at, charged.key AS system,
           sum((charged.value ->> 'triggers')::int)::int AS triggers,
           sum((charged.value ->> 'seconds')::float8)::float8 AS seconds
    FROM ({STEPS}) AS m CROSS JOIN LATERAL jsonb_each(systems) AS charged
    GROUP BY GROUPING SETS ((charged.key, at), (charged.key))
    ORDER BY 1, 4 DESC, 2
"""  # noqa: S608 - as above
PERCENTILES = """
    SELECT campaign, lane, phase, triggers::int AS triggers, late::int AS late, seconds, p50, p95, p99, longest
    FROM audit.delay_percentiles($1, $2, $3)
"""
TOGETHER = PERCENTILES.replace("$3)", "$3, together => true)")
END_TO_END = """
    SELECT at, triggers::int AS triggers, p50, p95, p99, longest
    FROM audit.delay_percentiles($1, $2, $3, together => true, step => $4, of_phase => 'end-to-end')
"""
OUTAGES = """
    SELECT outage_id::int AS outage_id, scope, reason, state, opened_at, ended_at, duration_seconds,
           probes::int AS probes
    FROM audit.outages
    WHERE opened_at < $2 AND coalesce(ended_at, 'infinity') >= $1
      AND ($3::text IS NULL OR scope NOT LIKE 'campaign:%' OR scope = 'campaign:' || $3)
    ORDER BY opened_at, outage_id
"""
DUPLICATES = """
    SELECT causes, count(*)::int AS triggers, count(*) FILTER (WHERE accepted > 1)::int AS accepted_twice
    FROM audit.duplicates
    WHERE received_at >= $1 AND received_at < $2 AND ($3::text IS NULL OR campaign = $3)
    GROUP BY causes ORDER BY 2 DESC, 1
"""
SLOWEST = f"""
    SELECT slow.request_id, slow.seconds
    FROM ({MINUTES.replace("systems,", "systems, worst, worst_seconds,", 1)}) AS m
    CROSS JOIN LATERAL unnest(worst, worst_seconds) AS slow (request_id, seconds)
    ORDER BY 2 DESC, 1 LIMIT $4
"""  # noqa: S608 - as above
