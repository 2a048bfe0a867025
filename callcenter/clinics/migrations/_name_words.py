"""Words of a name that begin none of the card's keys get rows of their own, kept by triggers (reader: patient search)."""

# A field has a second word when something that is no letter or digit stands between two that are (`search_keys.fold`).
HAS_MORE = " OR ".join(
    f"{{row}}.{field} ~ '[[:alnum:]][^[:alnum:]]+[[:alnum:]]'" for field in ("last_name", "first_name", "middle_name")
)
FOLDED = "trim(regexp_replace(replace(lower(field.name), 'ё', 'е'), '[^[:alnum:]]+', ' ', 'g'))"
INSERT = f"""
INSERT INTO clinics_patientnameword (patient_id, part, key)
SELECT {{row}}.id, field.part, word.word || ' ' || {{row}}.sort_key
FROM {{source}} LATERAL (VALUES (1, {{row}}.last_name), (2, {{row}}.first_name), (3, {{row}}.middle_name)) AS field (part, name),
    regexp_split_to_table({FOLDED}, ' ') WITH ORDINALITY AS word (word, place)
WHERE word.place > 1"""  # noqa: S608

FORWARDS = f"""
CREATE FUNCTION clinics_words_of_a_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM clinics_patientnameword WHERE patient_id = NEW.id;
    END IF;
    {INSERT.format(row="NEW", source="")};
    RETURN NULL;
END $$;
CREATE TRIGGER clinics_new_name AFTER INSERT ON clinics_patient
    FOR EACH ROW WHEN ({HAS_MORE.format(row="NEW")}) EXECUTE FUNCTION clinics_words_of_a_name();
CREATE TRIGGER clinics_other_name AFTER UPDATE OF last_name, first_name, middle_name ON clinics_patient
    FOR EACH ROW WHEN (OLD.sort_key IS DISTINCT FROM NEW.sort_key OR OLD.first_name_key IS DISTINCT FROM NEW.first_name_key
        OR OLD.middle_name_key IS DISTINCT FROM NEW.middle_name_key)
    EXECUTE FUNCTION clinics_words_of_a_name();
{INSERT.format(row="card", source="clinics_patient AS card,")} AND ({HAS_MORE.format(row="card")});
"""
BACKWARDS = """
DROP TRIGGER clinics_other_name ON clinics_patient;
DROP TRIGGER clinics_new_name ON clinics_patient;
DROP FUNCTION clinics_words_of_a_name();
"""
