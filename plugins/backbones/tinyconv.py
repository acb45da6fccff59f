"""TinyConv: a few plain convolutions, for trying things out on a processor without a GPU."""

import inspect

import torch
from torch import Tensor, nn

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.spec.errors import CheckError


class TinyConv(nn.Module):
    """Images (B, channels, H, W) to features (B, 128), at 1/16 of the resolution (1/32 with the standard stem).

    Every layer is a convolution, batch norm and ReLU, with widths of whole vector registers: what processors
    run best.
    """

    def __init__(self, channels: int = 3, stem: str = "small") -> None:
        super().__init__()
        self.stem = self._layer(channels, 16, 3, 2) if stem == "small" else self._layer(channels, 16, 7, 4)
        self.layers = nn.Sequential(
            self._layer(16, 32, 3, 2),
            self._layer(32, 64, 3, 2),
            self._layer(64, 128, 3, 2),
            self._layer(128, 128, 3, 1),
        )

    @staticmethod
    def _layer(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, 128, h, w)."""
        features: Tensor = self.layers(self.stem(images.contiguous(memory_format=torch.channels_last)))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 128): the mean of the last feature map."""
        return self.maps(images).mean((2, 3))


class TinyConvEncoder(Encoder):
    """TinyConv as an encoder."""

    dim = 128

    def __init__(self, request: BackboneRequest) -> None:
        super().__init__()
        if request.pretrained:
            raise CheckError(
                "TinyConv has no pretrained weights.", hint="Set backbone.weights to 'none', or choose a ResNet."
            )
        self.net: TinyConv = TinyConv(request.channels, request.stem)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, 128)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, 128, h, w)."""
        return self.net.maps(images)


def loading(request: BackboneRequest) -> str:
    """The source of the module, as it is not in any library."""
    return (
        "import torch\nfrom torch import Tensor, nn\n\n\n"
        f"{inspect.getsource(TinyConv)}\n\n"
        f'model = TinyConv(channels={request.channels}, stem="{request.stem}")\n'
    )


BACKBONES = (
    BackboneInfo(
        name="tinyconv",
        title="TinyConv",
        family="Tiny",
        summary="Five plain convolutions. Fast on any laptop, to try methods and augmentations; "
        "too small for a final encoder of varied photographs.",
        dim=128,
        million_parameters=0.245,
        build=TinyConvEncoder,
        loading=loading,
        min_size=16,
        provides=("features", "maps"),
    ),
)
