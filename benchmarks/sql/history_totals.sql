-- Two levels of totals (employee, outcome) of a period, with the period before it.
SELECT owner_id, outcome, count(*) FILTER (WHERE "on" >= %(since)s::date) AS now,
       count(*) FILTER (WHERE "on" < %(since)s::date) AS before,
       coalesce(sum(money) FILTER (WHERE "on" >= %(since)s::date), 0) AS money,
       coalesce(sum(wait_seconds) FILTER (WHERE "on" >= %(since)s::date), 0) AS wait_seconds,
       coalesce(sum(waits) FILTER (WHERE "on" >= %(since)s::date), 0) AS waits,
       coalesce(sum(talk_seconds) FILTER (WHERE "on" >= %(since)s::date), 0) AS talk_seconds,
       coalesce(sum(talks) FILTER (WHERE "on" >= %(since)s::date), 0) AS talks
FROM contacts_contact
WHERE "on" BETWEEN %(before)s::date AND %(until)s::date AND clinic_id = ANY(%(clinics)s)
GROUP BY owner_id, outcome
