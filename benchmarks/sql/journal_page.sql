-- What the first page of «3. Звать» needs: fifty entries by date with what a line shows, and the counters of the tabs.
WITH mine AS (SELECT clinic_id FROM clinics_clinic_staff WHERE user_id = %(user)s),
counted AS (
    SELECT
        (SELECT count(*) FROM (SELECT 1 FROM journals_recallentry e WHERE e.stage = 'call'
            AND e.clinic_id IN (SELECT clinic_id FROM mine) LIMIT %(cap)s) t) AS to_call,
        (SELECT count(*) FROM (SELECT 1 FROM journals_recallentry e WHERE e.stage = 'booked'
            AND e.clinic_id IN (SELECT clinic_id FROM mine) LIMIT %(cap)s) t) AS booked,
        (SELECT count(*) FROM (SELECT 1 FROM journals_recallentry e WHERE e.stage = 'refused'
            AND e.clinic_id IN (SELECT clinic_id FROM mine) LIMIT %(cap)s) t) AS refused
)
SELECT e.id, e.call_on, p.last_name, p.first_name, p.middle_name, ph.number, d.full_name AS doctor, e.doctor_comment,
       e.calls, e.unreached, e.last_comment, r.name AS reason, u.full_name AS caller, i.assignee_id, c.zone,
       counted.to_call, counted.booked, counted.refused
FROM counted, (
    SELECT * FROM journals_recallentry
    WHERE stage = 'call' AND clinic_id IN (SELECT clinic_id FROM mine)
    ORDER BY call_on, id LIMIT 50
) e
JOIN clinics_clinic c ON c.id = e.clinic_id
JOIN clinics_patient p ON p.id = e.patient_id
JOIN clinics_doctor d ON d.id = e.doctor_id
LEFT JOIN LATERAL (
    SELECT number FROM clinics_patientphone WHERE patient_id = p.id ORDER BY is_main DESC, id LIMIT 1
) ph ON true
LEFT JOIN contacts_reason r ON r.id = e.last_reason_id
LEFT JOIN staff_user u ON u.id = e.last_caller_id
LEFT JOIN journals_planitem i ON i.entry_id = e.id AND i.state = 'open'
ORDER BY e.call_on, e.id
