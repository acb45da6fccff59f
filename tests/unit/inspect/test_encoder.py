"""The encoder of a run: the same weights, the same hash, and clear words where there is none."""

import pytest
import torch
from torch import nn

from workbench.inspect.encoder import encoder_hash, load_encoder, read_checkpoint
from workbench.runs.folder import RunFolder
from workbench.spec.errors import NotFoundError, RunError


def test_it_has_the_weights_of_the_checkpoint(trained_run: RunFolder) -> None:
    loaded = load_encoder(trained_run)
    weights = read_checkpoint(trained_run.checkpoints / "last.pt")["method"]
    for name, value in loaded.encoder.state_dict().items():
        assert torch.equal(value, weights[f"encoder.{name}"])
    assert (loaded.epoch, loaded.channels, loaded.image_size) == (2, 3, 32)
    assert not loaded.encoder.training
    assert loaded.normalization.channels == 3


def test_loading_twice_gives_the_same_and_disturbs_nothing(trained_run: RunFolder) -> None:
    random = torch.get_rng_state()
    hashes = {encoder_hash(load_encoder(trained_run, trained=trained).encoder) for trained in (True, False, True)}
    assert len(hashes) == 2
    assert torch.equal(random, torch.get_rng_state())


def test_the_best_is_one_of_its_epochs(trained_run: RunFolder) -> None:
    if (trained_run.checkpoints / "best.pt").exists():
        assert load_encoder(trained_run, which="best").epoch in (1, 2)


def test_a_run_without_a_checkpoint(run: RunFolder) -> None:
    (run.checkpoints / "last.pt").unlink()
    with pytest.raises(RunError, match="no checkpoint"):
        load_encoder(run)


def test_the_hash_sees_names_values_types_and_buffers() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(2, 2)
    net = nn.Sequential(linear, nn.BatchNorm1d(2))
    first = encoder_hash(net)
    assert encoder_hash(net) == first
    net(torch.randn(4, 2))  # moves the running means of batch norm
    moved = encoder_hash(net)
    assert moved != first
    with torch.no_grad():
        linear.weight[0, 0] += 1e-6
    assert encoder_hash(net) != moved
    assert encoder_hash(net.double()) != encoder_hash(net.float())
    assert encoder_hash(nn.Sequential(net)) != encoder_hash(net)


def test_the_trained_one_needs_neither_a_hub_nor_the_run_that_it_began_with(run: RunFolder) -> None:
    text = run.experiment_file.read_text(encoding="utf-8")
    run.experiment_file.write_text(text.replace('weights = "none"', 'weights = "gone"'), encoding="utf-8")
    weights = read_checkpoint(run.checkpoints / "last.pt")["method"]
    for name, value in load_encoder(run).encoder.state_dict().items():
        assert torch.equal(value, weights[f"encoder.{name}"])
    with pytest.raises(NotFoundError, match="gone"):
        load_encoder(run, trained=False)


def test_a_checkpoint_of_another_backbone_is_told_in_words(run: RunFolder) -> None:
    text = run.experiment_file.read_text(encoding="utf-8")
    run.experiment_file.write_text(text.replace('"tinyconv"', '"resnet10t"'), encoding="utf-8")
    with pytest.raises(RunError, match=r"does not fit the encoder that .*experiment\.toml describes"):
        load_encoder(run)
