"""Dockerfile, docker-compose.yml and .env.example say nothing that isn't there. No Docker engine is
needed to know.
"""

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from callcenter.lib import npm_assets

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, as Docker does and PyYAML does not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


# A safe loader
COMPOSE: dict[str, Any] = yaml.load((ROOT / "docker-compose.yml").read_text(), Strict)  # noqa: S506
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "dozvon"}
READERS = {"_flag", "_list", "_needed"}


def _asked_for() -> set[str]:
    """Every variable that the settings read from the environment."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / "callcenter" / "settings.py").read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in READERS or called == "os.environ.get":
                names.add(str(node.args[0].value))
    return names


def _example_lines() -> list[tuple[str, str]]:
    return re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def _in_example() -> dict[str, str]:
    return dict(_example_lines())


def _compose_only() -> set[str]:
    """Variables that docker-compose.yml itself asks for."""
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_each_variable_of_the_settings_is_explained() -> None:
    assert _asked_for() - _in_example().keys() == set()


def test_each_explained_variable_is_read_by_somebody() -> None:
    assert _in_example().keys() - _asked_for() - _compose_only() == set()


def test_no_variable_is_explained_twice() -> None:
    names = [name for name, _ in _example_lines()]
    assert {name for name in names if names.count(name) > 1} == set()


def test_a_service_that_stands_twice_is_refused_as_docker_refuses_it() -> None:
    with pytest.raises(yaml.constructor.ConstructorError, match="robot"):
        yaml.load("services:\n  robot: {}\n  robot: {}\n", Strict)  # noqa: S506 (a safe loader)


def test_each_variable_that_compose_asks_for_is_explained() -> None:
    assert _compose_only() - _in_example().keys() == set()


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_only_variables_that_the_settings_read(name: str) -> None:
    assert OURS[name]["environment"].keys() - _asked_for() == set()
    assert OURS[name]["env_file"] == ".env"


def test_no_secret_stands_in_a_file() -> None:
    for name in (
        "SECRET_KEY",
        "POSTGRES_PASSWORD",
        "EMAIL_HOST_PASSWORD",
        "ARI_PASSWORD",
        "SPEECH_TOKEN",
    ):
        assert _in_example()[name] == ""
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert value.startswith("${")


def _commands() -> Iterator[tuple[str, list[str]]]:
    image = re.search(r"^CMD (\[.*?\])$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)
    assert image is not None
    for name, service in OURS.items():
        yield name, service.get("command", ast.literal_eval(image[1]))
        test = service.get("healthcheck", {}).get("test")
        if test:
            yield f"{name} health", shlex.split(test[1]) if test[0] == "CMD-SHELL" else test[1:]
    for line in re.findall(
        r"manage\.py [a-z_]+", DOCKERFILE + (ROOT / "docker-compose.yml").read_text()
    ):
        yield line, ["python", *line.split()]


@pytest.mark.parametrize(
    ("where", "command"), list(_commands()), ids=lambda value: value if type(value) is str else ""
)
def test_each_command_exists(where: str, command: list[str]) -> None:
    match command:
        case ["python", "manage.py", name, *_]:
            assert name in get_commands()
        case ["python", "-c", code]:
            compile(code, where, "exec")
        case ["gunicorn" | "celery" as program, *args]:
            app = args[0] if program == "gunicorn" else args[args.index("-A") + 1]
            assert importlib.util.find_spec(app) is not None
            known = _options(program, "" if program == "gunicorn" else args[2])
            given = {arg for arg in args if arg.startswith("--")}
            assert given - known == set()
        case _:
            pytest.fail(f"nobody knows how to check {command}")


def _options(program: str, subcommand: str) -> set[str]:
    if program == "gunicorn":
        command = [sys.executable, "-m", "gunicorn", "--help"]
    else:
        command = [sys.executable, "-m", "celery", "-A", "callcenter", subcommand, "--help"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return set(re.findall(r"--[a-z][a-z-]+", said.stdout))


def test_every_process_of_the_demo_runs_in_production_too() -> None:
    from callcenter.runtime.process_table import table

    # Nothing is written
    assert {process.name for process in table(Path("/tmp"), 1)} <= OURS.keys()  # noqa: S108


def test_ticks_and_long_work_have_workers_of_their_own_and_every_queue_has_one() -> None:
    from callcenter.runtime.process_table import table
    from callcenter.timers import queues

    # Nothing is written
    demo = [process.command for process in table(Path("/tmp"), 1)]  # noqa: S108
    for commands, flag in (
        (demo, "-Q"),
        ([service.get("command", []) for service in SERVICES.values()], "--queues"),
    ):
        listening = [
            command[command.index(flag) + 1].split(",") for command in commands if flag in command
        ]
        assert sorted(name for names in listening for name in names) == sorted(queues())
        assert ["celery"] in listening


def test_compose_hangs_together() -> None:
    for name, service in SERVICES.items():
        assert service.keys() & {"build", "image"}, name
        assert "healthcheck" in service or name == "migrate", name
        for needed, how in service.get("depends_on", {}).items():
            has_health = "healthcheck" in SERVICES[needed]
            assert has_health or how["condition"] == "service_completed_successfully", (
                name,
                needed,
            )
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"], (name, volume)
    initdb = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert "--locale-provider=builtin --builtin-locale=C.UTF-8" in initdb


def test_the_image_runs_as_nobody_special_and_copies_what_is_there() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER dozvon$", last, re.MULTILINE)
    assert not re.search(r"^(COPY|RUN|ADD) ", last.partition("USER dozvon")[2], re.MULTILINE)
    stages = set(re.findall(r" AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
        else:
            assert [source for source in sources if not (ROOT / source).exists()] == []


def test_production_collects_every_file_under_a_name_of_its_content(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name not in {"DEMO", "DEBUG"}}
    code = (
        "import django; from django.conf import settings; django.setup();"
        f"settings.STATIC_ROOT = {str(tmp_path)!r};"
        "from django.core.management import call_command; call_command('collectstatic', interactive=False, verbosity=0);"
        "from django.templatetags.static import static; print(static('css/app.css'))"
    )
    ours = {
        "SECRET_KEY": "x" * 60,
        "ALLOWED_HOSTS": "dozvon.example",
        "PUBLIC_URL": "https://dozvon.example",
    }
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env={**env, **ours}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"/static/css/app\.[0-9a-f]{12}\.css", done.stdout.strip())


def test_production_needs_its_secrets_told() -> None:
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DEMO", "DEBUG", "SECRET_KEY"}
    }
    command = [sys.executable, "-c", "import callcenter.settings"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Set the environment variable SECRET_KEY (see .env.example)" in done.stderr


def test_what_pages_name_of_the_npm_packages_is_served() -> None:
    served = {f"{prefix}/{name}" for prefix, _, names in npm_assets.FILES for name in names}
    for folder, _, names in npm_assets.FILES:
        assert names, folder
    for _, folder, names in npm_assets.FILES:
        missing = [name for name in names if not (ROOT / "node_modules" / folder / name).exists()]
        assert missing == []
    named: set[str] = set()
    for place in ("templates", "static"):
        for path in (ROOT / place).rglob("*"):
            if path.suffix in {".html", ".js", ".css"}:
                named |= set(re.findall(r"vendor/[\w./-]+\.\w+", path.read_text()))
    assert named - served == set()
    assert named
