from callcenter.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Loads free windows of doctors from an XLSX or CSV file."
    kind = "windows"
