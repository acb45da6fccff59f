"""ResNets of timm: ResNet-10-T, small and with a deep stem, and the selective-kernel ones of SimCLR v2."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.timm_networks import TimmNetwork
from workbench.spec.errors import CheckError


class TimmResNetEncoder(Encoder):
    """A timm ResNet without its classifier.

    The small stem neither strides nor pools. A deep stem (three 3 × 3 convolutions) keeps its weights, a 7 × 7 one
    becomes 3 × 3.
    """

    def __init__(self, network: TimmNetwork, deep_stem: bool, request: BackboneRequest) -> None:
        super().__init__()
        if request.pretrained and request.stem == "small":
            raise CheckError(
                "Pretrained weights of a ResNet belong to the standard stem.", hint="Set backbone.stem to 'standard'."
            )
        self.dim = network.dim
        net = network.make(request)
        if request.stem == "small":
            if deep_stem:
                net.conv1[0].stride = (1, 1)
            else:
                net.conv1 = nn.Conv2d(request.channels, 64, 3, 1, 1, bias=False)
                nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
            net.maxpool = nn.Identity()
        self.net: Any = net

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, dim, h, w)."""
        maps: Tensor = self.net.forward_features(images)
        return maps


def _loading(network: TimmNetwork, deep_stem: bool, request: BackboneRequest) -> str:
    lines = [f"import torch\n{network.loading(request)}".rstrip()]
    if request.stem == "small":
        if deep_stem:
            lines.append("model.conv1[0].stride = (1, 1)")
        else:
            lines.append(f"model.conv1 = torch.nn.Conv2d({request.channels}, 64, 3, 1, 1, bias=False)")
        lines.append("model.maxpool = torch.nn.Identity()")
    return "\n".join(lines) + "\n"


def _info(
    name: str, *, title: str, family: str, summary: str, dim: int, million: float, deep_stem: bool = False
) -> BackboneInfo:
    network = TimmNetwork(name=name, dim=dim)
    build: Callable[[BackboneRequest], Encoder] = partial(TimmResNetEncoder, network, deep_stem)
    return BackboneInfo(
        name=name,
        title=title,
        family=family,
        summary=summary,
        dim=dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, network, deep_stem),
        min_size=16,
        provides=("features", "maps"),
    )


BACKBONES = (
    _info(
        "resnet10t",
        title="ResNet-10-T",
        family="ResNet",
        summary="Half of a ResNet-18: good features at half the cost, the best choice for a machine without a GPU.",
        dim=512,
        million=4.92,
        deep_stem=True,
    ),
    _info(
        "skresnet18",
        title="SK-ResNet-18",
        family="Selective-kernel ResNet",
        summary="A ResNet-18 that chooses for each image how wide its filters look, as SimCLR v2's backbones do; a "
        "little better and noticeably slower than a plain one.",
        dim=512,
        million=11.45,
    ),
    _info(
        "skresnet34",
        title="SK-ResNet-34",
        family="Selective-kernel ResNet",
        summary="The deeper of the two small selective-kernel ResNets: about twice the time of SK-ResNet-18.",
        dim=512,
        million=21.77,
    ),
    _info(
        "skresnext50_32x4d",
        title="SK-ResNeXt-50",
        family="Selective-kernel ResNet",
        summary="A selective-kernel network of the depth of a ResNet-50: nearest to the backbones of SimCLR v2. Wants "
        "a GPU with memory to spare and tens of thousands of images.",
        dim=2048,
        million=25.43,
    ),
)
