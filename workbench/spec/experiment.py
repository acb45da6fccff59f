"""An experiment: everything that was asked, and nothing that was derived from it."""

from typing import Annotated, Any, Literal

from msgspec import Struct, field

from workbench.spec.params import Params, param

VERSION = 1

MOST_PLANES = 64
"""A file with more is a volume or a film rather than an image of so many channels."""

Role = Literal["global", "local"]


class DataSpec(Params, frozen=True, kw_only=True):
    """Which images, which labels, how they are split, and the square size at which they are stored."""

    folder: Annotated[str, param("The folder with the images, searched with all its sub-folders.")]
    labels: Annotated[
        Literal["none", "folders", "csv"], param("Where labels come from. Training ignores them; probes use them.")
    ] = "none"
    csv: Annotated[str, param("The label table, relative to the folder.", title="label file")] = "labels.csv"
    column: Annotated[str, param("The column of the label table that names the class.", title="label column")] = ""
    group: Annotated[
        str, param("A column whose equal values stay on one side of the split (a patient, a plate).", title="group by")
    ] = ""
    split: Annotated[
        Literal["auto", "folders", "random", "clips", "stretches"],
        param(
            "Test images: the folders train/ and test/ where they exist, or a random draw. Of frames of films, which "
            "hardly differ from their neighbors: whole clips (each folder is one), or the last stretch of every clip."
        ),
    ] = "auto"
    test_fraction: Annotated[float, param("Share of images kept for testing.", ge=0.02, le=0.9)] = 0.2
    size: Annotated[int, param("Side of the stored square image.", ge=8, le=1024, unit="px")] = 64
    fit: Annotated[Literal["crop", "pad", "stretch"], param("How an image that is not square becomes one.")] = "crop"
    channels: Annotated[
        Literal["rgb", "gray", "planes"], param("Color, one gray channel, or every plane of a file as a channel.")
    ] = "rgb"
    planes: Annotated[
        int,
        param("Planes of an image where channels is planes; 0 takes what most files have.", ge=0, le=MOST_PLANES),
    ] = 0
    depth: Annotated[
        Literal["8", "16"],
        param(
            "Bits of a stored value. At 8 a deep image of color or gray is stretched from its own lowest to its own "
            "highest value; at 16 all images keep one scale.",
        ),
    ] = "8"
    black: Annotated[float, param("The value in the files that becomes black, for all images.", ge=-1e12, le=1e12)] = (
        0.0
    )
    white: Annotated[
        float,
        param(
            "The value in the files that becomes white, for all images. Where black and white are equal, it is the "
            "range of the files' own type: 0 to 255, 0 to 65,535, or 0 to 1 for floating point.",
            ge=-1e12,
            le=1e12,
        ),
    ] = 0.0
    normalize: Annotated[
        Literal["dataset", "imagenet", "none"],
        param("The mean and deviation that are taken out of every view, from this set or from ImageNet."),
    ] = "dataset"
    limit: Annotated[int, param("Use at most this many images; 0 uses all.", ge=0, le=100_000_000)] = 0

    def title_of(self, column: str) -> str:
        """The name that a person knows of a column of the split: 'label' may be a column of the table."""
        return self.column if column == "label" and self.labels == "csv" and self.column else column


class OpSpec(Struct, frozen=True, kw_only=True):
    """One step of a chain. In the file its parameters stand beside `op`: {op = "solarize", p = 0.2}."""

    op: str
    enabled: bool = True
    params: dict[str, Any] = field(default_factory=dict)


class ViewSpec(Params, frozen=True, kw_only=True):
    """One kind of view: how many of it, how large, and the chain that makes it."""

    name: Annotated[str, param("Name of this kind of view.")] = "global"
    role: Annotated[Role, param("Large views are global; the small ones of multi-crop are local.")] = "global"
    count: Annotated[int, param("How many views of this kind each image gives.", ge=1, le=32)] = 2
    size: Annotated[int, param("Side of the view.", ge=8, le=1024, unit="px")] = 64
    chain: tuple[OpSpec, ...] = ()


class TaskSpec(Params, frozen=True, kw_only=True):
    """Another method's task on the same encoder, with a head and parameters of its own."""

    name: str
    weight: Annotated[
        float,
        param("What its loss counts, where the method's own counts 1.", ge=0.001, le=1000, logarithmic=True),
    ] = 1.0
    params: dict[str, Any] = field(default_factory=dict)


class MethodSpec(Params, frozen=True, kw_only=True):
    """The method and its own parameters (declared by the method), and tasks that it shares the encoder with."""

    name: str = "simclr"
    params: dict[str, Any] = field(default_factory=dict)
    also: tuple[TaskSpec, ...] = ()

    @property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """All tasks on the encoder, the method's own first."""
        return (TaskSpec(name=self.name, params=self.params), *self.also)

    @property
    def words(self) -> str:
        """The names of all tasks: 'rotation + jigsaw'."""
        return " + ".join(task.name for task in self.tasks)


class BackboneSpec(Params, frozen=True, kw_only=True):
    """The network that becomes the encoder."""

    name: str = "resnet18"
    stem: Annotated[
        Literal["auto", "small", "standard"],
        param("First layers: small keeps the resolution (for 64 px and less), standard halves it twice."),
    ] = "auto"
    weights: Annotated[
        str,
        param(
            "'none' starts from random weights, 'pretrained' from the library's, and a run's folder (on the command "
            "line its name or 'latest') from that run's encoder."
        ),
    ] = "none"

    @property
    def at_start(self) -> str:
        """What the encoder is before the training, in a word or two."""
        return "untrained" if self.weights == "none" else "at the start"


class TrainSpec(Params, frozen=True, kw_only=True):
    """The recipe. The learning rate is per 256 images: the optimizer gets it times batch / 256."""

    epochs: Annotated[int, param("Passes over the training images.", ge=1, le=100_000)] = 100
    batch_size: Annotated[
        int, param("Images in a step; each gives all its views.", ge=1, le=65_536, title="batch", logarithmic=True)
    ] = 256
    optimizer: Annotated[Literal["sgd", "adamw", "lars"], param("How weights are updated.")] = "sgd"
    learning_rate: Annotated[
        float, param("Step size per 256 images; scaled with the batch.", ge=1e-7, le=100, logarithmic=True)
    ] = 0.06
    schedule: Annotated[Literal["cosine", "constant"], param("How the learning rate falls after warm-up.")] = "cosine"
    warmup: Annotated[float, param("Rise of the learning rate at the start.", ge=0, le=1000, unit="epochs")] = 0.0
    weight_decay: Annotated[float, param("Pull of the weights towards zero.", ge=0, le=1, advanced=True)] = 5e-4
    weight_decay_factor: Annotated[
        float,
        param(
            "What the weight decay is multiplied with by the end, along half a cosine (transformers: 10); 1 keeps it.",
            ge=0,
            le=1000,
            advanced=True,
        ),
    ] = 1.0
    momentum: Annotated[float, param("Momentum of SGD and LARS.", ge=0, le=0.9999, advanced=True)] = 0.9
    beta2: Annotated[
        float,
        param(
            "AdamW's second beta: over how many steps, about 1 / (1 - beta2), the squares of the gradients are "
            "averaged. MAE takes 0.95, which follows changes sooner; the first beta is 0.9.",
            ge=0,
            le=0.9999,
            title="second beta",
            advanced=True,
        ),
    ] = 0.999
    accumulate: Annotated[
        int,
        param(
            "Parts in which a batch goes through the network, one after another, when it does not fit into memory.",
            ge=1,
            le=1024,
            unit="parts",
            advanced=True,
        ),
    ] = 1
    clip_gradient: Annotated[
        float, param("Largest norm of the gradient; 0 leaves it as it is.", ge=0, le=1000, advanced=True)
    ] = 0.0
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        param("Number format of the forward pass; auto takes bfloat16 on a GPU that has it."),
    ] = "auto"
    device: Annotated[str, param("auto, cpu, cuda, cuda:1 or mps.")] = "auto"
    max_minutes: Annotated[
        float, param("Stop after this time, with the schedule fitted to it; 0 has no limit.", ge=0, advanced=True)
    ] = 0.0


class WatchSpec(Params, frozen=True, kw_only=True):
    """What is looked at while training, and how often (in epochs; 0 is never)."""

    probe_every: Annotated[int, param("kNN and health.", ge=0, le=10_000, unit="epochs")] = 5
    snapshot_every: Annotated[int, param("Embeddings for the map.", ge=0, le=10_000, unit="epochs")] = 10
    checkpoint_every: Annotated[int, param("Checkpoints to resume from.", ge=1, le=10_000, unit="epochs")] = 5
    images: Annotated[int, param("Images in a probe or a snapshot, at most.", ge=50, le=1_000_000)] = 2000
    neighbors: Annotated[int, param("Neighbors that vote in kNN.", ge=1, le=1000, advanced=True)] = 20


class Experiment(Params, frozen=True, kw_only=True):
    """A whole experiment, as its file holds it."""

    version: int = VERSION
    name: str = "untitled"
    seed: Annotated[int, param("The same seed gives the same run.", ge=0, le=2**31 - 1)] = 0
    data: DataSpec
    views: tuple[ViewSpec, ...] = (ViewSpec(),)
    method: MethodSpec = MethodSpec()
    backbone: BackboneSpec = BackboneSpec()
    train: TrainSpec = TrainSpec()
    watch: WatchSpec = WatchSpec()
