"""The Python that goes out with an encoder: reads images and gives features, without the workbench.

The same scripts verify the export: what is compared with the original is what the person will run.
"""

from workbench.export.about import AboutEncoder
from workbench.export.reading import EIGHT_BITS, ONE_SCALE

_HEAD = '''"""Features of images, from the encoder beside this file.

    python {script} IMAGE [IMAGE ...]

Or from Python: `encode = load()`, then `encode(np.stack([read_image(path) for path in paths]))`.
Needs: {needs}.
"""

import sys
from pathlib import Path

import numpy as np
{tifffile}from PIL import Image, ImageOps

{constants}
HERE = Path(__file__).resolve().parent


{reading}

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
    deep = about.preprocessing.one_scale
    needs = _NEEDS[format_name] + (", tifffile" if deep else "")
    head = _HEAD.replace("{script}", script_name(format_name)).replace("{needs}", needs)
    head = head.replace("{tifffile}", "import tifffile\n" if deep else "")
    head = head.replace("{reading}", (ONE_SCALE if deep else EIGHT_BITS).strip())
    body = _BODY[format_name].replace("{loading}", about.loading.strip() + "\n")
    return head.replace("{constants}", constants) + body + _FOOT
