from callcenter.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Loads patients from an XLSX or CSV file."
    kind = "patients"
