"""The patients of a clinic from an index alone (reader: patient search of a user with few clinics)."""

# The index that Django made on clinic_id alone answers nothing that the new one does not.
FORWARDS = """
CREATE INDEX patient_of_clinic ON clinics_patient_clinics (clinic_id, patient_id);
DROP INDEX IF EXISTS clinics_patient_clinics_clinic_id_6481b6fd;
"""
BACKWARDS = """
CREATE INDEX clinics_patient_clinics_clinic_id_6481b6fd ON clinics_patient_clinics (clinic_id);
DROP INDEX patient_of_clinic;
"""
