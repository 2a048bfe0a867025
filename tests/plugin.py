"""Gives the suite its own PostgreSQL and Valkey (or uses DATABASE_URL and REDIS_URL), before Django reads its settings."""

import contextlib
import os

import pytest

_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DEMO", "1")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's sync API keeps a loop in this thread
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _own_valkey_database(int(worker.removeprefix("gw")))
        return
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        return
    if early_config.known_args_namespace.collectonly or early_config.known_args_namespace.help:
        return
    from callcenter.demo.services import throwaway

    postgres, valkey = _stack.enter_context(throwaway())
    os.environ.setdefault("DATABASE_URL", postgres.url)
    os.environ.setdefault("REDIS_URL", valkey.url)


def _own_valkey_database(worker: int) -> None:
    """pytest-django gives each worker a database of its own in PostgreSQL; this does it for Valkey (it has 16)."""
    server = os.environ["REDIS_URL"].rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{1 + worker % 15}"


def pytest_unconfigure() -> None:
    _stack.close()
