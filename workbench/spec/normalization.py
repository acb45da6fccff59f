"""The mean and deviation of `DataSpec.normalize` that are known before anything is measured."""

from workbench.spec.errors import CheckError
from workbench.spec.experiment import DataSpec

# Of ImageNet's training images in [0, 1], as torchvision's and timm's weights expect them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Numbers = tuple[float, ...]


def fixed_statistics(data: DataSpec, channels: int) -> tuple[Numbers, Numbers] | None:
    """(mean, deviation) per channel, in [0, 1]; None where they are the data set's own and must be measured.

    Raises `CheckError` where ImageNet's are asked for images that are neither gray nor in color.
    """
    if data.normalize == "dataset":
        return None
    if data.normalize == "none":
        return (0.0,) * channels, (1.0,) * channels
    if channels not in (1, 3):
        raise CheckError(
            f"ImageNet's mean and deviation are of red, green and blue, and these images have {channels} planes.",
            hint="Set data.normalize to 'dataset'.",
        )
    if channels == 1:
        return (sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,)
    return IMAGENET_MEAN, IMAGENET_STD
