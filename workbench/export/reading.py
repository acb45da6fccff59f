"""The part of the loading scripts that reads an image file as the pixel store did.

It is text: it goes out with an encoder and runs without the workbench. One for images of color and gray at 8 bits,
which Pillow reads, and one for planes and deep images, which need tifffile.
"""

EIGHT_BITS = '''
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
'''

ONE_SCALE = '''
def read_image(path):
    """An image file as the encoder was trained on it: (channels, SIZE, SIZE) float32 in [0, 1]."""
    levels = read_levels(path)
    if len(levels) != CHANNELS:
        raise ValueError(f"{path} has {len(levels)} planes, and the encoder takes {CHANNELS}")
    planes = np.stack([np.asarray(to_square(Image.fromarray(np.ascontiguousarray(plane)))) for plane in levels])
    planes = (np.rint(planes).clip(0, LEVELS) / LEVELS).astype(np.float32)
    if SIZE == STORED_SIZE:
        return planes
    return np.stack([np.asarray(Image.fromarray(plane).resize((SIZE, SIZE), Image.BILINEAR)) for plane in planes])


def read_levels(path):
    """(channels, height, width) float32 from 0 to LEVELS: BLACK becomes 0 and WHITE becomes LEVELS, in every image."""
    if is_for_tifffile(path):
        values, colors, alpha = read_tiff(path)
    else:
        values, colors, alpha = read_other(path)
    levels = to_levels(values)
    if READS == "planes":
        return levels
    if not colors:
        raise ValueError(f"{path} has {len(values)} planes that are no known colors")
    shown = levels[:colors]
    if alpha:  # Transparent parts on white.
        opacity = levels[colors] / LEVELS
        shown = np.minimum((shown if alpha == "associated" else shown * opacity) + (1 - opacity) * LEVELS, LEVELS)
    if READS == "gray" and colors == 3:
        return np.tensordot([0.299, 0.587, 0.114], shown, axes=1)[None].astype(np.float32)
    return (np.repeat(shown, 3, axis=0) if READS == "rgb" and colors == 1 else shown).astype(np.float32)


def to_levels(values):
    """On the scale of the set; where BLACK and WHITE are equal, on that of the file's own type."""
    kind = values.dtype
    black, white = BLACK, WHITE
    if black == white:
        black, white = (0, 1) if kind.kind in "bf" else (np.iinfo(kind).min, np.iinfo(kind).max)
    numbers = values.astype(np.float32 if kind.itemsize <= 2 or kind == np.float32 else np.float64)
    numbers = np.nan_to_num(numbers, nan=black, posinf=white, neginf=black)
    return ((numbers - black) * (LEVELS / (white - black))).clip(0, LEVELS).astype(np.float32)


def is_for_tifffile(path):
    """TIFFs of which Pillow would lose bits or pages."""
    with open(path, "rb") as file:
        if file.read(4) not in (b"II*\\0", b"MM\\0*", b"II+\\0", b"MM\\0+"):
            return False
    try:
        with Image.open(path) as image:
            deep = max(image.tag_v2.get(258, (8,))) > 8
            pages = getattr(image, "n_frames", 1) > 1 and image.mode not in ("P", "PA")
            return deep or (READS == "planes" and pages)
    except OSError:
        return True


def read_tiff(path):
    """Values (planes, height, width), how many of them are colors (0: unknown), and the kind of opacity after them.

    Planes are the channel axis (C) and the samples (S); without either, all pages. The first of other axes counts.
    """
    with tifffile.TiffFile(path, _multifile=False) as tiff:
        series = tiff.series[0]
        page = series.keyframe
        turn = tiff.pages.first.tags.get(274)
        if READS == "planes":
            values, axes = series.asarray(), series.axes
        else:
            page = next(iter(series))
            values, axes = page.asarray(), page.axes
        shape = values.shape if values.ndim == len(axes) else series.shape
        values = values.reshape(shape)
    channels = any(axis in "CS" and size > 1 for axis, size in zip(axes, shape))
    for place in reversed(range(len(axes))):
        if axes[place] not in "YX" and channels and not (axes[place] in "CS" and shape[place] > 1):
            values = values.take(0, axis=place)
            axes = axes[:place] + axes[place + 1 :]
    values = np.moveaxis(values, (axes.index("Y"), axes.index("X")), (-2, -1))
    values = values.reshape(-1, *values.shape[-2:])
    turns = {
        2: lambda planes: planes[:, :, ::-1],
        3: lambda planes: planes[:, ::-1, ::-1],
        4: lambda planes: planes[:, ::-1],
        5: lambda planes: planes.swapaxes(1, 2),
        6: lambda planes: planes.swapaxes(1, 2)[:, :, ::-1],
        7: lambda planes: planes[:, ::-1, ::-1].swapaxes(1, 2),
        8: lambda planes: planes.swapaxes(1, 2)[:, ::-1],
    }
    if turn is not None and turn.value in turns:
        values = turns[turn.value](values)
    extra = [int(kind) for kind in page.extrasamples]
    gray = page.samplesperpixel == 1 or (
        page.photometric.name in ("MINISBLACK", "MINISWHITE") and page.samplesperpixel - len(extra) == 1
    )
    colors = 3 if page.photometric.name in ("RGB", "YCBCR") else 1 if gray and len(extra) < 2 else 0
    alpha = {1: "associated", 2: "unassociated"}.get(extra[0] if colors and extra else 0, "")
    return values, colors, alpha


def read_other(path):
    """As `read_tiff`, for what Pillow reads without loss."""
    with Image.open(path) as image:
        if READS != "planes" and image.format in ("JPEG", "MPO"):
            image.draft(None, (2 * STORED_SIZE, 2 * STORED_SIZE))
        deep_colors = image.format == "PNG" and any(str(tile[3]).endswith(";16B") for tile in image.tile)
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)[None], 1, ""
    if deep_colors and LEVELS > 255:
        raise ValueError(f"{path} is a PNG of 16-bit colors, of which Pillow keeps 8 bits; save it as TIFF")
    if READS == "planes":
        mode = image.mode if image.mode in ("1", "L", "LA", "RGB", "RGBA") else "RGB"
        if image.mode in ("PA", "RGBa") or (image.mode == "P" and "transparency" in image.info):
            mode = "RGBA"
        values = np.asarray(image.convert({"La": "LA"}.get(image.mode, mode)))
        return (values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)), 0, ""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    values = np.asarray((image.convert("RGB") if image.mode == "P" else image).convert("RGB" if CHANNELS == 3 else "L"))
    return (values[None], 1, "") if values.ndim == 2 else (np.moveaxis(values, -1, 0), 3, "")
'''
