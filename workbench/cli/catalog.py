"""`workbench methods`, `backbones`, `ops`, `presets`, `experiments`: what there is to choose from, in every detail."""

import argparse
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.cli import console
from workbench.spec.catalog import BackboneCard, Catalog, MethodCard, OpCard, ReadyCard
from workbench.spec.needs import usable
from workbench.spec.params import ParamInfo
from workbench.spec.presets import preset_text

_INDENT = "    "
_WIDTH = 100
_HELP = {"experiments": "list the ready experiments, or describe one: what it shows and what to expect"}


def add(commands: console.Commands) -> None:
    """Adds the five commands."""
    kinds: tuple[tuple[str, str, Callable[[argparse.Namespace], int | None]], ...] = (
        ("methods", "simclr", _methods),
        ("backbones", "resnet18", _backbones),
        ("ops", "color_jitter", _ops),
        ("presets", "dino", _presets),
        ("experiments", "simsiam-without-stop-gradient", _experiments),
    )
    for kind, example, run in kinds:
        parser = console.command(
            commands,
            kind,
            run,
            help=_HELP.get(kind, f"list the {kind}, or describe one with its parameters"),
            example=f"workbench {kind} {example}",
            json=True,
        )
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="describe only this one")


def _methods(chosen: argparse.Namespace) -> None:
    catalog = _catalog()
    cards = (catalog.method(chosen.name),) if chosen.name else catalog.methods
    if chosen.json:
        _print_json("methods", cards, catalog)
    elif chosen.name:
        print(_method_text(cards[0], catalog))
    else:
        print(_table((card.name, card.family, card.summary) for card in cards))
        _warn(catalog)


def _backbones(chosen: argparse.Namespace) -> None:
    catalog = _catalog()
    cards = (catalog.backbone(chosen.name),) if chosen.name else catalog.backbones
    if chosen.json:
        _print_json("backbones", cards, catalog)
    elif chosen.name:
        print(_backbone_text(cards[0]))
    else:
        print(_table((card.name, f"{card.million_parameters:.2f} M", card.summary) for card in cards))
        _warn(catalog)


def _ops(chosen: argparse.Namespace) -> None:
    catalog = _catalog()
    cards = (catalog.op(chosen.name),) if chosen.name else catalog.ops
    if chosen.json:
        _print_json("ops", cards, catalog)
    elif chosen.name:
        print(_op_text(cards[0]))
    else:
        print(_table((card.name, card.group, card.help) for card in cards))
        _warn(catalog)


def _presets(chosen: argparse.Namespace) -> None:
    """One of them is printed as the file that `workbench new --preset FILE` reads."""
    catalog = _catalog()
    cards = (catalog.preset(chosen.name),) if chosen.name else catalog.presets
    if chosen.json:
        _print_json("presets", cards, catalog)
    elif chosen.name:
        print(preset_text(cards[0]))
    else:
        print(_table((card.name, "yours" if card.own else card.section, card.help) for card in cards))
        _warn(catalog)


def _experiments(chosen: argparse.Namespace) -> None:
    catalog = _catalog()
    cards = (catalog.experiment(chosen.name),) if chosen.name else catalog.experiments
    if chosen.json:
        _print_json("experiments", cards, catalog)
    elif chosen.name:
        print(_experiment_text(cards[0]))
    else:
        print(_table((card.name, card.method.name, card.shows) for card in cards))
        _warn(catalog)


def _catalog() -> Catalog:
    from workbench.catalog.registry import load_registry  # slow: it imports torch.

    return load_registry().cards()


def _print_json(kind: str, cards: Sequence[Any], catalog: Catalog) -> None:
    console.print_json({kind: cards, "broken": catalog.broken})


def _warn(catalog: Catalog) -> None:
    for entry in catalog.broken:
        console.say(f"workbench: a plugin could not be loaded: {entry.file}: {entry.message}")


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    """Three columns; the last is wrapped below itself."""
    listed = list(rows)
    first = max((len(row[0]) for row in listed), default=0)
    second = max((len(row[1]) for row in listed), default=0)
    lines = []
    for name, kind, text in listed:
        head = f"{name:<{first}}  {kind:<{second}}  "
        lines.append(textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))
    return "\n".join(lines)


def _able(card: MethodCard, catalog: Catalog) -> str:
    able = usable(card, catalog.backbones)
    return "any" if len(able) == len(catalog.backbones) else ", ".join(one.name for one in able) or "none here"


def _method_text(card: MethodCard, catalog: Catalog) -> str:
    facts = (
        ("paper", card.paper or "none"),
        ("family", card.family),
        ("views", _views(card)),
        ("smallest batch", str(card.min_batch)),
        ("batch in parts", "no" if card.no_accumulation else "yes (train.accumulate)"),
        ("backbones", _able(card, catalog)),
        ("images", _images(card)),
        ("labels", "needed" if card.uses_labels else "not used"),
        *((("starts from", "the encoder of a finished run (backbone.weights)"),) if card.starts_from_run else ()),
        *((("used", f"beside another method, as in --also {card.name}=0.5"),) if card.beside_only else ()),
        ("recipe", _recipe(card)),
        ("source", card.recipe.source),
    )
    paragraphs = [
        f"{card.title} ({card.year})",
        _wrap(card.summary),
        _wrap(card.explanation),
        _wrap(f"When to choose it. {card.when}"),
        _wrap(f"When it fails. {card.collapse}"),
        _facts(facts),
        _params_text(card.params),
    ]
    return "\n\n".join(paragraphs)


def _views(card: MethodCard) -> str:
    """'2 large ones of each image, and small ones (multi-crop), preset dino'."""
    if card.local_views:
        return f"{card.global_views} large ones of each image, and small ones (multi-crop); preset {card.preset}"
    return f"{card.global_views} of each image; preset {card.preset}"


def _images(card: MethodCard) -> str:
    if card.uses_frames:
        return "frames of films, a folder each"
    return "in color" if card.needs_color else "any"


def _recipe(card: MethodCard) -> str:
    recipe = card.recipe
    decay = f"weight decay {recipe.weight_decay:g}"
    if recipe.weight_decay_factor != 1:
        decay += f" rising to {recipe.weight_decay * recipe.weight_decay_factor:g}"
    parts = [recipe.optimizer, f"learning rate {recipe.learning_rate:g} per 256 images", decay]
    if recipe.optimizer == "adamw":
        parts.append(f"second beta {recipe.beta2:g}")
    if recipe.clip_gradient:
        parts.append(f"gradient clipped at {recipe.clip_gradient:g}")
    if recipe.warmup:
        parts.append(f"warm-up {recipe.warmup:g} {'epoch' if recipe.warmup == 1 else 'epochs'}")
    short = f"; adamw, {recipe.short_rate:g}, for few steps of a convolutional network" if recipe.short_rate else ""
    return ", ".join(parts) + short


def _backbone_text(card: BackboneCard) -> str:
    facts = (
        ("family", card.family),
        ("features", str(card.dim)),
        ("parameters", f"{card.million_parameters:.2f} million"),
        ("smallest image", f"{card.min_size} px"),
        ("provides", ", ".join(card.provides)),
    )
    return "\n\n".join([card.title, _wrap(card.summary), _facts(facts)])


def _op_text(card: OpCard) -> str:
    return "\n\n".join([f"{card.title} ({card.group})", _wrap(card.help), _params_text(card.params)])


def _experiment_text(card: ReadyCard) -> str:
    parts = {"method.params": card.method.params, "backbone": card.backbone, "train": card.train, "watch": card.watch}
    settings = [f"{part}.{name} = {_value(value)}" for part, table in parts.items() for name, value in table.items()]
    facts = (
        ("method", card.method.words),
        ("differs by", ", ".join(settings) or "nothing: the method as it is suggested"),
        ("views", card.preset or ("its own" if card.views else "those of the method")),
        ("lay beside", card.beside or "nothing"),
        *((("starts from", card.after),) if card.after else ()),
        ("source", card.source),
    )
    how = f"workbench new FOLDER --experiment {card.name}"
    return "\n\n".join([card.title, _wrap(card.shows), _wrap(f"What to expect. {card.expect}"), _facts(facts), how])


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    """Two columns; the second is wrapped below itself."""
    listed = list(facts)
    width = max(len(name) for name, _ in listed)
    heads = [f"{_INDENT}{name:<{width}}  " for name, _ in listed]
    return "\n".join(
        textwrap.fill(value, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or head.rstrip()
        for head, (_, value) in zip(heads, listed, strict=True)
    )


def _params_text(params: Sequence[ParamInfo]) -> str:
    if not params:
        return "It has no parameters of its own."
    return "\n".join(["Parameters", *(_param_text(info) for info in params)])


def _param_text(info: ParamInfo) -> str:
    allowed = " | ".join(info.choices)
    if info.low is not None or info.high is not None:
        allowed = f"{_number(info.low)} to {_number(info.high)}"
    unit = f" {_unit(info)}" if info.unit else ""
    head = f"{_INDENT}{info.name} = {_value(info.default)}{unit}" + (f"  ({allowed})" if allowed else "")
    return f"{head}\n{_wrap(info.help, indent=_INDENT * 2)}"


def _unit(info: ParamInfo) -> str:
    return info.unit.removesuffix("s") if info.default == 1 else info.unit


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_value(part) for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:.10g}"


def _wrap(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
