"""The Python that goes out with an encoder: reads images and gives features, without the workbench.

The same scripts verify the export: what is compared with the original is what the person will run.
"""

from workbench.export.about import AboutEncoder

_HEAD = '''"""Features of images, from the encoder beside this file.

    python {script} IMAGE [IMAGE ...]

Or from Python: `encode = load()`, then `encode(np.stack([read_image(path) for path in paths]))`.
Needs: {needs}.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

{constants}
HERE = Path(__file__).resolve().parent


def read_image(path):
    """An image file as the encoder was trained on it: (channels, SIZE, SIZE) float32 in [0, 1]."""
    with Image.open(path) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (2 * STORED_SIZE, 2 * STORED_SIZE))
        image = to_eight_bits(ImageOps.exif_transpose(image))
    square = np.asarray(to_square(image), dtype=np.float32) / 255
    planes = square[None] if square.ndim == 2 else square.transpose(2, 0, 1)
    if SIZE == STORED_SIZE:
        return np.ascontiguousarray(planes)
    return np.stack([np.asarray(Image.fromarray(plane).resize((SIZE, SIZE), Image.BILINEAR)) for plane in planes])


def to_eight_bits(image):
    """Transparent parts on white; deep images stretched from their lowest to their highest value."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float64)
        low, high = values.min(), values.max()
        image = Image.fromarray(np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    if image.mode == "P":
        image = image.convert("RGB")
    return image.convert("RGB" if CHANNELS == 3 else "L")


def to_square(image):
    """FIT says how an image that is not square becomes one."""
    width, height = image.size
    size = (STORED_SIZE, STORED_SIZE)
    if FIT == "pad" and width != height:
        scale = STORED_SIZE / max(width, height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = Image.new(image.mode, size)
        place = ((STORED_SIZE - inner[0]) // 2, (STORED_SIZE - inner[1]) // 2)
        canvas.paste(resized(image, inner, (0, 0, width, height)), place)
        return canvas
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    crop = FIT == "crop" or width == height
    return resized(image, size, (left, top, left + side, top + side) if crop else (0, 0, width, height))


def resized(image, size, box):
    """Lanczos where it gets smaller, bicubic where it is enlarged."""
    width, height = box[2] - box[0], box[3] - box[1]
    if image.size == size and (width, height) == size:
        return image
    smaller = width > size[0] or height > size[1]
    kernel = Image.LANCZOS if smaller else Image.BICUBIC
    return image.resize(size, kernel, box=box, reducing_gap=3.0 if smaller else None)


'''

_SAFETENSORS = '''# The network, from the library that it is of.
{loading}

def load():
    """A function from images (n, channels, SIZE, SIZE) in [0, 1] to features (n, dim)."""
    import torch
    from safetensors.torch import load_file

    model.load_state_dict(load_file(HERE / "encoder.safetensors"), strict=True)
    model.eval()
    mean = torch.tensor(MEAN)[:, None, None]
    std = torch.tensor(STD)[:, None, None]

    def encode(images):
        with torch.inference_mode():
            return model((torch.as_tensor(images) - mean) / std).numpy()

    return encode
'''

_TORCH_EXPORT = '''def load():
    """A function from images (n, channels, SIZE, SIZE) in [0, 1] to features (n, dim); it normalizes by itself."""
    import torch

    model = torch.export.load(HERE / "encoder.pt2").module()

    def encode(images):
        with torch.inference_mode():
            return model(torch.as_tensor(images)).numpy()

    return encode
'''

_ONNX = '''def load():
    """A function from images (n, channels, SIZE, SIZE) in [0, 1] to features (n, dim); it normalizes by itself."""
    import onnxruntime

    session = onnxruntime.InferenceSession(HERE / "encoder.onnx", providers=["CPUExecutionProvider"])

    def encode(images):
        return session.run(["features"], {"images": np.asarray(images, dtype=np.float32)})[0]

    return encode
'''

_FOOT = """

if __name__ == "__main__":
    encode = load()
    for path in sys.argv[1:]:
        features = encode(read_image(path)[None])[0]
        print(path, *(f"{value:.6g}" for value in features))
"""

_BODY = {"safetensors": _SAFETENSORS, "torch-export": _TORCH_EXPORT, "onnx": _ONNX}
_NEEDS = {
    "safetensors": "numpy, pillow, safetensors, torch, and the library that the network is imported from below",
    "torch-export": "numpy, pillow, torch",
    "onnx": "numpy, onnxruntime, pillow",
}


def script_name(format_name: str) -> str:
    """The file name of a format's script."""
    return f"load_{format_name.replace('-', '_')}.py"


def script(format_name: str, about: AboutEncoder) -> str:
    """The script of one format."""
    constants = "\n".join(f"{name} = {value!r}" for name, value in about.source().items())
    head = _HEAD.replace("{script}", script_name(format_name)).replace("{needs}", _NEEDS[format_name])
    body = _BODY[format_name].replace("{loading}", about.loading.strip() + "\n")
    return head.replace("{constants}", constants) + body + _FOOT
