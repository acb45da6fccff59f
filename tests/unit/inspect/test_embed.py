"""Features do not depend on how they are asked for."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.augment.normalize import Normalization
from workbench.inspect.embed import embed
from workbench.method.backbone import Encoder

CPU = torch.device("cpu")
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 3, 16, 16), dtype=np.uint8)


class _Small(Encoder):
    dim = 4

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.net(images).mean((2, 3))
        return features


@pytest.fixture
def encoder() -> _Small:
    torch.manual_seed(0)
    return _Small()


def _embed(encoder: Encoder, **how: object) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    normalization = Normalization([0.5] * 3, [0.2] * 3)
    return embed(encoder, normalization, PIXELS, image_size=8, device=CPU, **how)  # type: ignore[arg-type]


def test_batches_and_rows_change_nothing(encoder: _Small) -> None:
    whole = _embed(encoder)
    assert whole.shape == (10, 4)
    assert whole.dtype == np.float32
    assert np.allclose(_embed(encoder, batch_size=3), whole, atol=1e-6)
    rows = np.array([7, 2, 2])
    assert np.allclose(_embed(encoder, rows=rows), whole[rows], atol=1e-6)
    assert _embed(encoder, rows=np.array([], np.int64)).shape == (0, 4)


@pytest.mark.parametrize("training", [True, False])
def test_the_encoder_is_left_as_it_was(encoder: _Small, training: bool) -> None:
    encoder.train(training)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    random = torch.get_rng_state()
    _embed(encoder)
    assert encoder.training == training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())


def test_it_is_what_the_library_would_do(encoder: _Small) -> None:
    """Resizing as torchvision does it, then mean and deviation."""
    from torchvision.transforms.v2 import functional as tv

    images = tv.resize(torch.from_numpy(PIXELS).float() / 255, [8, 8], antialias=True)
    images = tv.normalize(images, [0.5] * 3, [0.2] * 3)
    with torch.no_grad():
        expected = encoder.eval()(images).numpy()
    assert np.allclose(_embed(encoder), expected, atol=1e-5)


def test_it_can_be_cancelled(encoder: _Small) -> None:
    def report(what: str, done: int, total: int) -> None:
        if done >= 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        _embed(encoder, batch_size=2, report=report)
    assert encoder.training
