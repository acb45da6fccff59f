"""ResNet-18, -34 and -50 of torchvision (He et al. 2016, arXiv:1512.03385)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.hub import fetching
from workbench.spec.errors import CheckError


class ResNetEncoder(Encoder):
    """A torchvision ResNet without its classifier.

    The small stem (3 × 3, stride 1, no max-pool) is that of Chen et al. 2020, appendix B.9, for CIFAR.
    """

    def __init__(self, name: str, dim: int, request: BackboneRequest) -> None:
        super().__init__()
        self.dim = dim
        self.net: Any = _pretrained(name, request) if request.pretrained else _random(name, request)
        self.net.fc = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, dim, h, w)."""
        net = self.net
        maps: Tensor = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
            maps = layer(maps)
        return maps


def _random(name: str, request: BackboneRequest) -> nn.Module:
    import torchvision

    net: Any = getattr(torchvision.models, name)(weights=None)
    if request.stem == "small":
        net.conv1 = nn.Conv2d(request.channels, 64, 3, 1, 1, bias=False)
        net.maxpool = nn.Identity()
    elif request.channels != 3:
        net.conv1 = nn.Conv2d(request.channels, 64, 7, 2, 3, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    built: nn.Module = net
    return built


def _pretrained(name: str, request: BackboneRequest) -> nn.Module:
    import torchvision

    if request.stem == "small":
        raise CheckError(
            "Pretrained weights of a ResNet belong to the standard stem.", hint="Set backbone.stem to 'standard'."
        )
    with fetching("torchvision", name):
        net: Any = getattr(torchvision.models, name)(weights="IMAGENET1K_V1")
    if request.channels != 3:
        color = net.conv1.weight.detach()
        net.conv1 = nn.Conv2d(request.channels, 64, 7, 2, 3, bias=False)
        with torch.no_grad():
            net.conv1.weight.copy_(_for_channels(color, request.channels))
    built: nn.Module = net
    return built


def _for_channels(color: Tensor, channels: int) -> Tensor:
    """Filters (64, 3, 7, 7) of red, green and blue for other channels, as timm adapts them (`adapt_input_conv`).

    A gray image is one whose three channels are equal, so the sum gives the same activations; planes take the
    three in turn, at a strength that keeps the activations' size.
    """
    if channels == 1:
        return color.sum(dim=1, keepdim=True)
    turns = [number % 3 for number in range(channels)]
    return color[:, turns] * (3 / channels)


def _loading(name: str, request: BackboneRequest) -> str:
    lines = ["import torch", "import torchvision", "", f"model = torchvision.models.{name}()"]
    if request.stem == "small":
        lines.append(f"model.conv1 = torch.nn.Conv2d({request.channels}, 64, 3, 1, 1, bias=False)")
        lines.append("model.maxpool = torch.nn.Identity()")
    elif request.channels != 3:
        lines.append(f"model.conv1 = torch.nn.Conv2d({request.channels}, 64, 7, 2, 3, bias=False)")
    lines.append("model.fc = torch.nn.Identity()")
    return "\n".join(lines) + "\n"


def _info(name: str, *, title: str, summary: str, dim: int, million: float) -> BackboneInfo:
    build: Callable[[BackboneRequest], Encoder] = partial(ResNetEncoder, name, dim)
    return BackboneInfo(
        name=name,
        title=title,
        family="ResNet",
        summary=summary,
        dim=dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, name),
        min_size=16,
        provides=("features", "maps"),
    )


BACKBONES = (
    _info(
        "resnet18",
        title="ResNet-18",
        summary="The usual choice: well understood, quick on one GPU, and good from a few thousand images on.",
        dim=512,
        million=11.18,
    ),
    _info(
        "resnet34",
        title="ResNet-34",
        summary="A deeper ResNet-18: about twice the time for a little more accuracy, with features of the same size.",
        dim=512,
        million=21.28,
    ),
    _info(
        "resnet50",
        title="ResNet-50",
        summary="The network of most papers. Wants a GPU with memory to spare and tens of thousands of images.",
        dim=2048,
        million=23.51,
    ),
)
