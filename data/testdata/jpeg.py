"""Writes jpeg.npz: small JPEG files and what Pillow makes of them. Run: python jpeg.py OUT.npz (Pillow 13.0.0, NumPy 2.4.6)"""
import io, sys
import numpy as np
from PIL import Image

def picture(h, w):
    y, x = np.mgrid[:h, :w]
    r = (x * 9 + y * 4) % 256
    g = ((x // 5 + y // 6) % 2) * 200 + (x * y) % 40
    b = 20 + 220 * ((x - w // 2) ** 2 + (y - h // 2) ** 2 < (h // 3) ** 2)
    return np.stack([r, g, b], -1).astype(np.uint8)

out = {}
for name, h, w, options in [
    ("420", 40, 56, dict(quality=90, subsampling="4:2:0")), ("420odd", 37, 51, dict(quality=95, subsampling="4:2:0")),
    ("422", 33, 47, dict(quality=95, subsampling="4:2:2")), ("444", 20, 30, dict(quality=95, subsampling="4:4:4")),
    ("narrow", 16, 4, dict(quality=95, subsampling="4:2:0")), ("progressive", 37, 51, dict(quality=80, subsampling="4:2:0", progressive=True)),
]:
    f = io.BytesIO(); Image.fromarray(picture(h, w)).save(f, "JPEG", **options)
    out[name + ".file"] = np.frombuffer(f.getvalue(), np.uint8)
    out[name + ".pixels"] = np.asarray(Image.open(io.BytesIO(f.getvalue())))
np.savez_compressed(sys.argv[1], **out)
