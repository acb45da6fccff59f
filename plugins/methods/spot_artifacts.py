"""Spot artifacts: tell a whole image from one in which places were lost and repaired."""

from typing import Annotated

import torch
from torch import Tensor, nn

from workbench.method.adversarial import discriminator_wins, play
from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.losses.precision import float32
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.precautions import Precaution, left_of
from workbench.method.repairing import STEP, SpotMaker, places
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param


class SpotArtifactsParams(Params, frozen=True, kw_only=True):
    """Parameters of spot artifacts."""

    dropped: Annotated[
        float,
        param("Share of an image's places that are lost, of 4 × 4 px each. More are easier to find.", ge=0.05, le=0.95),
    ] = 0.5
    repair: Annotated[
        float,
        param("Weight of the repair network's wish not to be found out; 0 leaves it untrained.", ge=0, le=10),
    ] = 1.0
    width: Annotated[int, param("Channels of the network that makes the spots.", ge=8, le=512, advanced=True)] = 64


class Judge(nn.Module):
    """The encoder, and one number from its features: above 0 for whole images."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.last = nn.Linear(encoder.dim, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B,)."""
        logits: Tensor = self.last(self.encoder(images))
        return logits.squeeze(1)


class SpotArtifacts(Method):
    """Real or corrupted, as a game (Jenni & Favaro 2018, arXiv:1806.05024, eq. 2 to 4).

    Whole images pass the autoencoder as well, so that its own traces tell nothing. In the paper it is trained
    beforehand and then kept; here it learns along the way, and from its own squared error alone.
    """

    def __init__(self, encoder: Encoder, params: SpotArtifactsParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.judge = Judge(encoder)
        self.maker = SpotMaker(setting.channels, params.width)
        self.params = params

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Squared error of the autoencoder, and both sides of the game, the mean over all views."""
        values, parts = [], []
        for number, view in enumerate(batch.views):
            whole, spotted = self.maker(view, self._places(view, draw_of(batch.indices, progress, number)))
            game = play(self.judge, whole.detach(), spotted)
            with float32(whole):
                rebuilt = (whole.float() - view.float()).square().mean()
            values.append(rebuilt + game.discriminator + self.params.repair * game.maker)
            parts.append(torch.stack((rebuilt, game.discriminator, game.maker, game.right)).detach())
        told = dict(
            zip(("rebuilding", "telling", "fooling", "told_right"), torch.stack(parts).mean(dim=0), strict=True)
        )
        return Loss(value=torch.stack(values).mean(), parts=detached(**told))

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """Each image whole and with spots."""
        del progress
        view = batch.views[0]
        whole, spotted = self.maker(view, self._places(view, fixed_draw(batch.indices)))
        right = ((self.judge(whole) > 0).float() + (self.judge(spotted) <= 0).float()) / 2
        return (Answers(task="spots", right=right, chance=0.5),)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The image, the places that are lost, and what the network takes for whole of what comes of both."""
        del progress
        view = batch.views[0]
        lost = self._places(view, fixed_draw(batch.indices))
        whole, spotted = self.maker(view, lost)
        blank = nn.functional.interpolate(lost.float(), size=view.shape[-2:], mode="nearest")
        real, fake = self.judge(whole) > 0, self.judge(spotted) > 0
        return (
            Panel(part="input", title="Image", images=view),
            Panel(part="input", title="Places to be lost", images=view * (1 - blank)),
            Panel(part="answer", title="Whole", images=whole, captions=_words(real), right=tuple(real.tolist())),
            Panel(
                part="answer", title="Repaired", images=spotted, captions=_words(fake), right=tuple((~fake).tolist())
            ),
        )

    def _places(self, view: Tensor, draw: Draw) -> Tensor:
        """(B, 1, h, w) bool: what is lost of each image."""
        side = places(view.shape[-1])
        lost: Tensor = (draw.uniform("lost", side**2) < self.params.dropped).unflatten(1, (1, side, side))
        return lost


def _words(taken_for_whole: Tensor) -> tuple[str, ...]:
    return tuple("taken for whole" if one else "found out" for one in taken_for_whole.tolist())


METHOD = MethodInfo(
    name="spot_artifacts",
    title="Spot artifacts",
    family="puzzle",
    paper="arXiv:1806.05024",
    year=2018,
    summary="Tells a whole image from one in which places were lost and then repaired as well as can be.",
    explanation="One network squeezes an image and rebuilds it; in half of the places what it has squeezed is thrown "
    "away, and a second network fills the gaps so that nobody should notice. The encoder is the judge who must notice. "
    "As the repairs get better, it can no longer look for blur and seams, and must know what belongs where: that a dog "
    "has two ears and a wheel is round. Judge and repairer learn against each other, step by step.",
    when="For photographs and other images with structure, where a puzzle of places does not fit. It costs about twice "
    "as much as rotation, as two more networks train beside the encoder, which are thrown away.",
    collapse="If 'told right' stays at 100 % the repairs are too bad to teach anything: drop fewer places, or raise "
    "'repair'; at 50 % they are perfect, or the judge has learned nothing (its loss, 'telling', stays at 0.69).",
    params=SpotArtifactsParams,
    build=SpotArtifacts,
    tags=("one view", "adversarial"),
    min_batch=2,
    global_views=1,
    exhibits=True,
    preset="rotation",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-5,
        source="Jenni & Favaro 2018, section 4 (Adam 2e-4 and above, drop rates 0.5 to 0.9), at a batch of 64",
    ),
    symptoms=(
        discriminator_wins(
            "told_right",
            f"Lower 'dropped' (places of {STEP} px), or raise 'repair'.",
            matters=lambda params: params.repair > 0,
        ),
    ),
    precautions=left_of(
        Precaution(parameter="dropped", least=0.05, why="so that there is less to find"),
        Precaution(parameter="repair", most=10, why="so that repairs leave fewer traces"),
    ),
)
