from callcenter.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Loads entries of Журнал КОС from an XLSX or CSV file."
    kind = "recalls"
