"""Writes reference.json: what the Python package imagecorruptions makes of made pictures (see TestBenchmark).

    pip install imagecorruptions==1.1.2 numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 opencv-python==5.0.0.93 pillow==13.0.0 "setuptools<80"
    python reference.py > reference.json

The package is of 2019; what newer libraries have renamed is put back below. Its clipped_zoom forgets to cut the enlarged picture to its
middle, which the benchmark's own does: it is put back, too. Its elastic_transform is not the benchmark's, which is written below by its definition.
Its frost needs photographs: it is left out. SciPy's zoom takes 0 for what rounding puts a last bit beyond the last pixel: the last pixel is taken.

It runs for some minutes: glass_blur moves pixel by pixel.
"""
import json
import sys

import cv2
import numpy as np
import scipy.ndimage
import skimage.filters
from PIL import Image

np.float_ = np.float64
sys.modules["scipy.ndimage.interpolation"] = scipy.ndimage
plain = skimage.filters.gaussian


def gaussian(image, sigma=1, multichannel=False, **others):
    return plain(image, sigma=sigma, channel_axis=-1 if multichannel else None, **others)


skimage.filters.gaussian = gaussian

from imagecorruptions import corruptions as c  # noqa: E402

c.scizoom = lambda image, factors, order: scipy.ndimage.zoom(image, factors, order=order, mode="nearest")
salted = c.sk.util.random_noise
c.sk.util.random_noise = lambda image, **others: salted(image, rng=np.random.randint(2 ** 31), **others)  # it has a generator of its own
uncut = c.clipped_zoom


def clipped_zoom(img, factor):
    out = uncut(img, factor)
    top, left = (out.shape[0] - img.shape[0]) // 2, (out.shape[1] - img.shape[1]) // 2
    return out[top:top + img.shape[0], left:left + img.shape[1]]


c.clipped_zoom = clipped_zoom

H, W = 96, 136
SQUARE = 240  # elastic_transform's lengths are the benchmark's from 224 pixels on
SEVERITIES = (1, 3, 5)
DRAWS = 200
LAGS = ((0, 1), (1, 0), (0, 4), (4, 0))


def wave(v, period):  # a triangle, 0 to 255
    v %= period
    return 255 * min(v, period - v) * 2 // period


def rough(y, x):
    """Stripes of saturated and grey colours beside a fine texture."""
    if y < 32:
        return (x * 255 // (W - 1), y * 8, 255 - x)
    if y < 64:
        return ((x * 7 ^ y * 13) & 255, (x * 5 ^ y * 3) & 255, (x * 11 ^ y * 29) & 255)
    return ((255, 0, 0), (0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 255, 255), (40, 60, 200), (90, 92, 94), (250, 240, 10))[x // 17]


def soft(y, x):
    """Slow waves of all three colours."""
    return (30 + wave(x + 2 * y, 90) * 3 // 4, 20 + wave(3 * x + y, 140) * 3 // 4, 40 + wave(x * y // 8, 110) // 2)


def picture(f, h=H, w=W):
    return np.array([[f(y, x) for x in range(w)] for y in range(h)], dtype=np.uint8)


def elastic_transform(image, severity):
    """Three corners of a square around the middle move, then every pixel by smoothed noise; the numbers are shares of 244 pixels."""
    amplitude, sigma, corner = 244 * np.array({1: (2, 0.7, 0.1), 2: (2, 0.08, 0.2), 3: (0.05, 0.01, 0.02), 5: (0.12, 0.01, 0.02)}[severity])
    levels = np.asarray(image, dtype=np.float32)
    h, w = levels.shape[:2]
    middle, half = np.float32([w // 2, h // 2]), min(h, w) // 3
    corners = np.float32([middle + half, middle + [half, -half], middle - half])
    moved = corners + np.random.uniform(-corner, corner, corners.shape).astype(np.float32)
    levels = cv2.warpAffine(levels, cv2.getAffineTransform(corners, moved), (w, h), borderMode=cv2.BORDER_REFLECT_101)
    dx, dy = (amplitude * plain(np.random.uniform(-1, 1, (h, w)), sigma, mode="reflect", truncate=3) for _ in range(2))
    y, x = np.mgrid[:h, :w]
    return np.stack([scipy.ndimage.map_coordinates(levels[..., k], [y + dy, x + dx], order=1, mode="reflect") for k in range(3)], -1)


def drawn(corruption, clean, severity, draws):
    np.random.seed(severity)
    image = Image.fromarray(clean)
    found = [measures(clean, np.asarray(corruption(image, severity), dtype=float)) for _ in range(draws)]
    return {
        "draws": draws,
        "mean": [round(float(v), 5) for v in np.mean(found, 0)],
        "deviation": [round(float(v), 5) for v in np.std(found, 0, ddof=1)],
    }


def places():
    """The pixels that are compared: 61 all over the picture, and its corners."""
    return [(0, 0), (0, W - 1), (H - 1, 0), (H - 1, W - 1)] + [(k * 37 % H, k * 59 % W) for k in range(1, 62)]


def measures(clean, damaged):
    """Mean and deviation of the damaged picture's channels, and the correlation of the damage with itself at some distances."""
    damage = damaged.astype(float) - clean
    out = [*damaged.mean((0, 1)), *damaged.std((0, 1))]
    grey = damage.mean(2)
    grey = grey - grey.mean()
    for dy, dx in LAGS:
        out.append((grey[dy:, dx:] * grey[:grey.shape[0] - dy, :grey.shape[1] - dx]).mean() / (grey ** 2).mean())
    return out


def main():
    result = {"exact": {}, "drawn": {}}
    for name, f in (("rough", rough), ("soft", soft)):
        clean = picture(f)
        image = Image.fromarray(clean)
        for corruption in ("defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate"):
            for severity in SEVERITIES:
                out = np.asarray(getattr(c, corruption)(image, severity), dtype=float)  # before it is cut to 8 bits
                result["exact"][f"{name} {corruption} {severity}"] = {
                    "mean": [round(float(v), 4) for v in out.mean((0, 1))],
                    "pixels": [round(float(v), 3) for y, x in places() for v in out[y, x]],
                }
        for corruption in ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "glass_blur", "motion_blur", "snow", "fog", "spatter"):
            for severity in SEVERITIES:
                result["drawn"][f"{name} {corruption} {severity}"] = drawn(getattr(c, corruption), clean, severity, DRAWS)
    for severity in (1, 2, 3, 5):
        result["drawn"][f"square elastic_transform {severity}"] = drawn(elastic_transform, picture(soft, SQUARE, SQUARE), severity, 60)
    text = json.dumps(result, separators=(",", ":"))
    print(text.replace('},"', '},\n"').replace('{"exact":{', '{"exact":{\n').replace('"drawn":{', '"drawn":{\n'))


main()
