-- A day without grouping: how many, and the first fifty with all a row shows.
WITH day AS (
    SELECT i.id, i.at, i.contact_type, i.wait_seconds, i.talk_seconds
    FROM contacts_interaction i
    WHERE i.clinic_id = ANY(%(clinics)s) AND i.joined_call_id IS NULL
      AND i.at >= timestamp '2026-03-18' AT TIME ZONE 'Europe/Moscow' AND i.at < timestamp '2026-03-19' AT TIME ZONE 'Europe/Moscow'
)
SELECT i.id, i.contact_type, i.caller_type, p.last_name, t.name AS topic, u.full_name, c.outcome,
       (SELECT count(*) FROM day) AS total, (SELECT sum(wait_seconds) FROM day) AS waited, (SELECT sum(talk_seconds) FROM day) AS talked
FROM (SELECT id FROM day ORDER BY at DESC, id DESC LIMIT 50) first
JOIN contacts_interaction i ON i.id = first.id
JOIN contacts_contact c ON c.id = i.contact_id
LEFT JOIN clinics_patient p ON p.id = i.patient_id
LEFT JOIN contacts_topic t ON t.id = i.shown_topic_id
LEFT JOIN staff_user u ON u.id = i.shown_employee_id
ORDER BY i.at DESC, i.id DESC
