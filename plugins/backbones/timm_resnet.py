"""ResNet-10-T of timm: a small ResNet with a deep stem."""

from contextlib import nullcontext
from typing import Any

from torch import Tensor, nn

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.hub import fetching
from workbench.spec.errors import CheckError


class ResNet10TEncoder(Encoder):
    """timm's resnet10t without its classifier. The small stem neither strides nor pools; its weights are the same."""

    dim = 512

    def __init__(self, request: BackboneRequest) -> None:
        super().__init__()
        net: Any = _network(request)
        if request.stem == "small":
            net.conv1[0].stride = (1, 1)
            net.maxpool = nn.Identity()
        self.net: Any = net

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 512)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, 512, h, w)."""
        maps: Tensor = self.net.forward_features(images)
        return maps


def _network(request: BackboneRequest) -> Any:
    import timm

    if request.pretrained and request.stem == "small":
        raise CheckError(
            "Pretrained weights of a ResNet belong to the standard stem.", hint="Set backbone.stem to 'standard'."
        )
    with fetching("timm", "resnet10t") if request.pretrained else nullcontext():
        return timm.create_model("resnet10t", pretrained=request.pretrained, num_classes=0, in_chans=request.channels)


def _loading(request: BackboneRequest) -> str:
    lines = ["import timm", "import torch", ""]
    lines.append(f'model = timm.create_model("resnet10t", num_classes=0, in_chans={request.channels})')
    if request.stem == "small":
        lines.append("model.conv1[0].stride = (1, 1)")
        lines.append("model.maxpool = torch.nn.Identity()")
    return "\n".join(lines) + "\n"


BACKBONES = (
    BackboneInfo(
        name="resnet10t",
        title="ResNet-10-T",
        family="ResNet",
        summary="Half of a ResNet-18: good features at half the cost, the best choice for a machine without a GPU.",
        dim=512,
        million_parameters=4.92,
        build=ResNet10TEncoder,
        loading=_loading,
        min_size=16,
        provides=("features", "maps"),
    ),
)
