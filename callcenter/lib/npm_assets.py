"""Which files of the npm packages are served: these, and no other of the many thousands in
node_modules.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

# Prefix under /static/, folder in node_modules, files. The maps are named by the files themselves,
# and hashed storage refuses a file that names a missing one.
FILES: Final = (
    (
        "vendor/tabler",
        "@tabler/core/dist",
        (
            "css/tabler.min.css",
            "css/tabler.min.css.map",
            "js/tabler.min.js",
            "js/tabler.min.js.map",
        ),
    ),
    (
        "vendor/icons",
        "@tabler/icons-webfont/dist",
        (
            "tabler-icons.min.css",
            "fonts/tabler-icons.woff2",
            "fonts/tabler-icons.woff",
            "fonts/tabler-icons.ttf",
        ),
    ),
    ("vendor/echarts", "echarts/dist", ("echarts.min.js",)),
)


class VendoredFinder(BaseFinder):
    """Finds the files of the table for the server, the tests and collectstatic alike."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.storages: list[tuple[FileSystemStorage, tuple[str, ...]]] = []
        for prefix, folder, names in FILES:
            storage = FileSystemStorage(location=settings.BASE_DIR / "node_modules" / folder)
            storage.prefix = prefix  # type: ignore[attr-defined]  # Django's own way to tell collectstatic
            self.storages.append((storage, names))

    def check(self, **_: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        found = [
            str(Path(storage.location) / name)
            for storage, names in self.storages
            for name in names
            if f"{storage.prefix}/{name}" == path  # type: ignore[attr-defined]
        ]
        return found if find_all else next(iter(found), None)

    # The table decides
    def list(self, _ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for storage, names in self.storages:
            for name in names:
                if storage.exists(name):
                    yield name, storage
