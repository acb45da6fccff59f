"""Colorization: show the network an image in gray, and ask for the colors."""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.color_bins import BINS, ColorBins, at_side
from workbench.method.contract import Batch, EncodeAll, Loss, Method, MethodInfo, Progress, Setting, Symptom
from workbench.method.decoders import MapDecoder
from workbench.method.exhibit import Panel
from workbench.method.gather import gather
from workbench.method.lab import gray_picture, lab_to_rgb, rgb_to_lab
from workbench.method.losses.coloring import soft_cross_entropy
from workbench.method.losses.rebuilding import squared_error
from workbench.method.rebuilding import LEAST_VARIETY, figures, mean_of
from workbench.method.scale import ViewScale
from workbench.spec.catalog import Recipe
from workbench.spec.errors import CheckError
from workbench.spec.params import Params, param

_LEAST_SIDE = 16
_USUAL = 20.0
"""About the deviation of a and b in photographs, by which the regression divides them."""
_GRAY_CHROMA, _GRAY_SHARE = 5.0, 0.999
"""A set is gray where so many pixels have a smaller distance from gray than this."""


class ColorizationParams(Params, frozen=True, kw_only=True):
    """Parameters of colorization."""

    answer: Annotated[
        Literal["classes", "regression"],
        param(
            "Choose each color among 313 (classes), which allows several for one thing, or paint it directly "
            "(regression), which gives the mean of all that are possible: pale."
        ),
    ] = "classes"
    uniform: Annotated[
        float,
        param(
            "How little the rarity of a color counts, for classes: 0 weights rare ones highest, 1 all the same.",
            ge=0,
            le=1,
        ),
    ] = 0.5
    width: Annotated[
        int, param("Channels of the small network that paints the colors.", ge=8, le=1024, advanced=True)
    ] = 64


class Colorization(Method):
    """From L to a and b (Zhang et al. 2016): classes with rebalancing (eq. 2 to 4), or squared error (eq. 1).

    The encoder gets L as a gray picture with three equal channels, normalized as views are, so that it takes color
    images, too. a and b are asked for at a quarter of the view's resolution, 16 px at least.
    """

    weights: Tensor
    counted: Tensor

    def __init__(self, encoder: Encoder, params: ColorizationParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.scale = ViewScale(setting)
        self.bins = ColorBins()
        self.classes = params.answer == "classes"
        self.side = min(setting.image_size, max(_LEAST_SIDE, setting.image_size // 4))
        self.painter = MapDecoder(encoder.dim, BINS if self.classes else 2, self.side, width=params.width)
        self.register_buffer("weights", torch.ones(BINS))
        self.register_buffer("counted", torch.zeros((), dtype=torch.bool))
        self.params = params

    @torch.no_grad()
    def before_epoch(self, encode: EncodeAll, progress: Progress) -> None:
        """Counts the colors of all images, once. Raises `CheckError` where there are none."""
        del progress
        if self.counted:
            return
        tally = _Tally(self.scale, self.bins, self.side)
        encode(tally)
        counts, gray = tally.totals()
        if gray >= _GRAY_SHARE:
            raise CheckError(
                f"Colorization cannot learn from these images: {100 * gray:.1f} % of their area is gray.",
                hint="Choose images in color, or another method.",
            )
        self.weights.copy_(self.bins.weights(counts, self.params.uniform))
        self.counted.fill_(value=True)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """The mean of all views."""
        del progress
        losses, told = [], []
        for view in batch.views:
            lab = rgb_to_lab(self.scale.pictures(view))
            wanted = at_side(lab[:, 1:], self.side)
            answers = self._answers(lab)
            if self.classes:
                losses.append(soft_cross_entropy(answers, *self.bins.shares(wanted), self.weights))
            else:
                losses.append(squared_error(answers, wanted / _USUAL))
            told.append(self._told(answers, wanted))
        return Loss(value=torch.stack(losses).mean(), parts=mean_of(told))

    @torch.no_grad()
    def _told(self, answers: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """How colorful the answers are beside the images, and what they explain."""
        colors = self._colors(answers)
        colorfulness = _chroma(colors).mean() / _chroma(wanted).mean().clamp(min=1)
        return figures(colors, wanted) | {"colorfulness": colorfulness}

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The gray image, the image, and the gray image with the colors that it is given."""
        del progress
        pictures = self.scale.pictures(batch.views[0])
        lab = rgb_to_lab(pictures)
        colors = F.interpolate(self._colors(self._answers(lab)), lab.shape[-2:], mode="bilinear", align_corners=False)
        return (
            Panel(part="input", title="Without color", images=gray_picture(lab[:, :1]), normalized=False),
            Panel(part="target", title="The image", images=pictures, normalized=False),
            Panel(
                part="answer",
                title="Colored",
                images=lab_to_rgb(torch.cat([lab[:, :1], colors], dim=1)),
                normalized=False,
            ),
        )

    def _answers(self, lab: Tensor) -> Tensor:
        """(B, 313 or 2, side, side), of the gray image alone."""
        answers: Tensor = self.painter(self.encoder.maps(self.scale.views(gray_picture(lab[:, :1]))))
        return answers

    def _colors(self, answers: Tensor) -> Tensor:
        """a and b (B, 2, side, side)."""
        return self.bins.annealed_mean(answers) if self.classes else answers.float() * _USUAL


class _Tally(nn.Module):
    """Looks at images and remembers how often each bin occurs: in the place of a network, before the first epoch."""

    def __init__(self, scale: ViewScale, bins: ColorBins, side: int) -> None:
        super().__init__()
        self.scale, self.bins, self.side = scale, bins, side
        self.counts = torch.zeros(BINS + 1, dtype=torch.float64, device=bins.centers.device)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1) of nothing; what was seen is in `counts`, the last of which are the gray places."""
        ab = at_side(rgb_to_lab(self.scale.pictures(images))[:, 1:], self.side)
        self.counts[:BINS] += torch.bincount(self.bins.nearest(ab)[0][:, 0].flatten(), minlength=BINS)
        self.counts[BINS] += (_chroma(ab) < _GRAY_CHROMA).sum()
        return images.new_zeros(len(images), 1)

    def totals(self) -> tuple[Tensor, float]:
        """Places per bin, and the share of gray ones, of all processes."""
        total = gather(self.counts[None]).sum(dim=0)
        return total[:BINS], float(total[BINS] / total[:BINS].sum())


def _chroma(ab: Tensor) -> Tensor:
    """Distance from gray."""
    return ab.square().sum(dim=1).sqrt()


def _is_one_color(value: float, params: ColorizationParams, setting: Setting) -> bool:
    del params, setting
    return value < LEAST_VARIETY


METHOD = MethodInfo(
    name="colorization",
    title="Colorization",
    family="rebuilding",
    paper="arXiv:1603.08511",
    year=2016,
    summary="Shows the network each image in gray and asks for its colors.",
    explanation="The image is split into lightness and color (CIE Lab). The network sees the lightness alone, as a "
    "gray picture, and has to say which of 313 colors every place has. To know that this patch is grass and that one a "
    "shirt it must recognize things. A shirt may have any color, so that it answers with a probability for each, and "
    "rare, vivid colors count more than the grays that most of a photograph is made of. Needs one view and no "
    "negatives, and the pictures show what has been understood.",
    when="For photographs in which a thing's color follows from what it is: landscapes, animals, food, tissue under "
    "one stain. Not for gray images, and of little use where color is arbitrary (cars, clothes, plastic parts). The "
    "encoder learns on gray pictures with three equal channels; it then takes color images, but has never used "
    "their color, so measure it where shape matters more. Leave color jitter and grayscale out of the views.",
    collapse="Every place gets the same brownish gray: 'variety' near 0, 'colorfulness' far below 1 (0.3 to 0.8 is "
    "usual). The regression always tends to it, as the mean of all possible colors is gray.",
    params=ColorizationParams,
    build=Colorization,
    tags=("one view", "color images", "easy to read", "small batches"),
    min_batch=1,
    global_views=1,
    needs=("maps",),
    needs_color=True,
    exhibits=True,
    preset="rebuilding",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-3,
        warmup=1.0,
        beta2=0.99,
        source="Zhang et al. 2016, section 2.4 and their code: Adam with betas of 0.9 and 0.99, 3e-5 for a batch of 40 "
        "(2e-4 per 256), weight decay 1e-3; the larger rate is our own number, for small networks",
    ),
    symptoms=(
        Symptom(
            part="variety",
            is_sick=_is_one_color,
            title="All images get the same color",
            text="The colors that are painted hardly differ from image to image: a brownish gray, the mean of all. "
            "Lower the learning rate or take the classes instead of the regression, with a smaller uniform share; and "
            "see that the views change no colors.",
        ),
    ),
)
