-- Two levels of totals (employee, outcome) of a period, and how many there were in the period before it.
SELECT owner_id, outcome, sum(now)::bigint AS now, sum(before)::bigint AS before, sum(money) AS money, sum(wait_seconds)::bigint AS wait_seconds,
       sum(waits)::bigint AS waits, sum(talk_seconds)::bigint AS talk_seconds, sum(talks)::bigint AS talks
FROM (
    SELECT owner_id, outcome, count(*) AS now, 0 AS before, sum(money) AS money, sum(wait_seconds) AS wait_seconds, sum(wait_count) AS waits,
           sum(talk_seconds) AS talk_seconds, sum(talk_count) AS talks
    FROM contacts_contact
    WHERE "on" BETWEEN %(since)s::date AND %(until)s::date AND clinic_id = ANY(%(clinics)s)
    GROUP BY owner_id, outcome
    UNION ALL
    SELECT owner_id, outcome, 0, count(*), 0, 0, 0, 0, 0
    FROM contacts_contact
    WHERE "on" >= %(before)s::date AND "on" < %(since)s::date AND clinic_id = ANY(%(clinics)s)
    GROUP BY owner_id, outcome
) AS both_periods
GROUP BY owner_id, outcome
