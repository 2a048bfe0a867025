from callcenter.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Loads visits from an XLSX or CSV file."
    kind = "appointments"
