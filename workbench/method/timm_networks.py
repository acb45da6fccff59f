"""Networks of timm, and others of other sizes on their pattern: made for a request, and as code that does the same."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from workbench.method.backbone import BackboneRequest
from workbench.method.hub import fetching
from workbench.spec.errors import CheckError


@dataclass(frozen=True, kw_only=True)
class TimmNetwork:
    """name: timm's; dim: of its features. changes: arguments that make it another size than timm has weights for;
    instead: the backbone that is nearest to it and has weights.
    """

    name: str
    dim: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    instead: str = ""

    def make(self, request: BackboneRequest, **arguments: Any) -> Any:
        """Without its classifier. Raises `CheckError` where there are no weights of this size, and `WorkbenchError`
        where they cannot be had.
        """
        import timm

        if request.pretrained and self.changes:
            raise CheckError(
                "There are no pretrained weights for a network of this size.",
                hint=f"Set backbone.weights to 'none', or choose {self.instead}.",
            )
        with fetching("timm", self.name) if request.pretrained else nullcontext():
            return timm.create_model(self.name, pretrained=request.pretrained, **self._all(request, arguments))

    def loading(self, request: BackboneRequest, **arguments: Any) -> str:
        """The code that makes it as `model`, without weights."""
        words = ", ".join(f"{key}={value!r}" for key, value in self._all(request, arguments).items())
        return f'import timm\n\nmodel = timm.create_model("{self.name}", {words})\n'

    def _all(self, request: BackboneRequest, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"in_chans": request.channels, "num_classes": 0, **arguments, **self.changes}
