"""The lock on a person's day: whoever writes an interaction takes it first, so two writers make one
contact.
"""

from django.db import connection


def lock_words(*words: object) -> None:
    """Waits for the advisory lock of these words; it ends with the transaction, which must have
    begun.

    One bigint key, so it never meets the two-integer locks of a doctor's day.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [":".join(str(word) for word in words)],
        )
