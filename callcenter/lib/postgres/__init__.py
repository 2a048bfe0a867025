"""The database engine of settings.DATABASES."""
