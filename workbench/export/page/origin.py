"""The report's end: everything that it takes to do the run again."""

import json
from collections.abc import Iterator
from typing import Any

from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import escape, facts, folded, paragraph
from workbench.export.page.training import derived
from workbench.spec import toml


def origin(known: RunFacts) -> str:
    """The experiment, what followed from it, and the environment."""
    written = f'<pre class="columns">{escape(toml.dumps(known.experiment))}</pre>'
    parts = [folded("Experiment", written, opened=True)]
    followed = derived(known)
    if followed:
        parts.append(folded("What followed from it", followed))
    parts.append(folded("Environment", _environment(known)))
    return "".join(parts)


def _environment(known: RunFacts) -> str:
    try:
        values = json.loads(known.run.environment_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return paragraph("The run has not recorded its environment.", kind="secondary")
    return facts(_flat("", values))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name} {key}".strip(), inner)
    elif isinstance(value, list):
        yield name, " ".join(str(item) for item in value)
    elif value is not None:
        yield name, str(value)
