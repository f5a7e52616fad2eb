"""Writes pictures.json: small made pictures in the forms that JPEG and PNG have, and what Pillow reads from them (see TestPicturesAsPillow).

    pip install pillow==13.0.0 numpy==2.4.6
    python pictures.py > pictures.json

They are read as detectron2 reads them: turned by their EXIF orientation, then converted to RGB.
"""
import base64
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

H, W = 19, 27


def scene(h=H, w=W):
    y, x = np.mgrid[:h, :w]
    return np.stack([x * 255 // (w - 1), y * 255 // (h - 1), (x * 5 ^ y * 11) & 255], -1).astype(np.uint8)


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(rows, depth, colour_type, interlace):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", W, H, depth, colour_type, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def png16(values, colour_type):
    """A PNG file of 16 bits a channel, which Pillow does not write for colours."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(rows, 16, colour_type, 0)


def files():
    rgb = Image.fromarray(scene())
    alpha = Image.fromarray((scene()[..., 0] // 2 + 20))
    for name, sampling in (("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)):
        yield "JPEG " + name, saved(rgb, "JPEG", quality=90, subsampling=sampling)
    yield "JPEG 4:2:0 coarse", saved(rgb, "JPEG", quality=20)
    yield "JPEG progressive", saved(rgb, "JPEG", quality=80, progressive=True)
    yield "JPEG 4:2:0 of 1 pixel", saved(Image.fromarray(scene(3, 3)[1:2, 1:2]), "JPEG")
    yield "JPEG 4:2:0 of 4 columns", saved(Image.fromarray(scene(9, 4)), "JPEG")
    yield "JPEG 4:2:0 of 5 columns", saved(Image.fromarray(scene(8, 5)), "JPEG")
    yield "JPEG grey", saved(rgb.convert("L"), "JPEG", quality=90)
    yield "JPEG CMYK", saved(rgb.convert("CMYK"), "JPEG", quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"JPEG orientation {orientation}", saved(rgb, "JPEG", quality=90, exif=exif)
        yield f"PNG orientation {orientation}", saved(rgb, "PNG", exif=exif)
    yield "PNG grey", saved(rgb.convert("L"), "PNG")
    yield "PNG 1 bit", saved(rgb.convert("1"), "PNG")
    yield "PNG palette", saved(rgb.quantize(17), "PNG")
    yield "PNG palette, one colour transparent", saved(rgb.quantize(17), "PNG", transparency=3)
    yield "PNG grey with alpha", saved(Image.merge("LA", (rgb.convert("L"), alpha)), "PNG")
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    yield "PNG with alpha", saved(rgba, "PNG")
    rgba.putalpha(0)
    yield "PNG transparent", saved(rgba, "PNG")
    yield "PNG interlaced", interlaced()
    wide = scene().astype(np.uint16) * 257 - scene()[::-1] // 2 * (scene() > 0)
    yield "PNG 16 bits", png16(wide, 2)
    yield "PNG 16 bits with alpha", png16(np.concatenate([wide, wide[..., :1] // 2 + 300], -1), 6)
    yield "PNG 16 bits grey", png16(wide[..., 2], 0)
    yield "PNG 16 bits grey with alpha", png16(wide[..., 1:], 4)


def interlaced():
    """Adam7 by hand: Pillow reads but does not write it."""
    values = scene()
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in values[y::dy, x::dx])
    return png(rows, 8, 2, 1)


def main():
    out = {}
    for name, content in files():
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        if image.mode == "I;16":  # where Pillow's own conversion cuts everything above 255 off, the high byte counts, as for 16-bit colours
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        pixels = np.asarray(image.convert("RGB"))
        out[name] = {
            "file": base64.b64encode(content).decode(), "height": pixels.shape[0], "width": pixels.shape[1],
            "rgb": base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode(),
        }
    print("{" + ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in out.items()) + "}")


main()
