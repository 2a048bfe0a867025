-- How a clinic's «3. Звать» divides on a day: planned, blocked and why, resting, ready.
SELECT CASE
        WHEN EXISTS (SELECT 1 FROM journals_planitem i WHERE i.entry_id = e.id AND i.state = 'open') THEN 'planned'
        WHEN p.do_not_call THEN 'do_not_call'
        WHEN NOT EXISTS (SELECT 1 FROM clinics_patientphone ph WHERE ph.patient_id = e.patient_id) THEN 'no_phone'
        WHEN NOT (SELECT granted FROM clinics_consent s
                  WHERE s.patient_id = e.patient_id AND s.purpose = 'advertising' AND s.channel = 'call'
                  ORDER BY s.at DESC, s.id DESC LIMIT 1) THEN 'refused_purpose'
        WHEN EXISTS (SELECT 1 FROM clinics_appointment a WHERE a.patient_id = e.patient_id
                     AND a.status IN ('scheduled', 'confirmed') AND a.starts_at > %(now)s) THEN 'future_visit'
        WHEN e.reserved_until > %(now)s THEN 'held'
        WHEN e.call_on > %(on)s THEN 'resting'
        ELSE 'ready'
    END AS place,
    count(*) AS count
FROM journals_recallentry e
JOIN clinics_patient p ON p.id = e.patient_id
WHERE e.clinic_id = %(clinic)s AND e.stage = 'call'
GROUP BY 1
ORDER BY 1
