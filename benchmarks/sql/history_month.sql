-- A month by contacts with three filters: the first fifty, and the sums of both periods that stand above them.
WITH found AS (
    SELECT id, "on", started_at, outcome, money
    FROM contacts_contact
    WHERE "on" BETWEEN date '2026-01-01' AND date '2026-02-28' AND clinic_id = ANY(%(clinics)s)
      AND caller_type = 'wants_booking' AND outcome = 'not_booked' AND topic_id = %(topic)s
), sums AS (
    SELECT count(*) FILTER (WHERE "on" >= date '2026-02-01') AS total, count(*) FILTER (WHERE "on" < date '2026-02-01') AS before
    FROM found
)
SELECT c.id, p.last_name, u.full_name, sums.total, sums.before
FROM (SELECT id FROM found WHERE "on" >= date '2026-02-01' ORDER BY "on" DESC, started_at DESC, id DESC LIMIT 50) first
JOIN contacts_contact c ON c.id = first.id
LEFT JOIN clinics_patient p ON p.id = c.patient_id
LEFT JOIN staff_user u ON u.id = c.owner_id
CROSS JOIN sums
ORDER BY c."on" DESC, c.started_at DESC, c.id DESC
