"""Writes reference.npz and statistics.npz: what imagecorruptions 1.1.2 (the benchmark's functions, packaged) makes of a picture that is a formula.
Run: python reference.py reference.npz statistics.npz    (NumPy 2.4.6, Pillow 13.0.0, scikit-image 0.26.0, SciPy 1.17.1, opencv-python 5.0.0.93)"""
import sys, types, functools
import numpy as np
np.float_ = np.float64
import scipy.ndimage
m = types.ModuleType("scipy.ndimage.interpolation"); m.map_coordinates = scipy.ndimage.map_coordinates; sys.modules["scipy.ndimage.interpolation"] = m
p = types.ModuleType("pkg_resources"); p.resource_filename = None; sys.modules.setdefault("pkg_resources", p)
import skimage.filters
_g = skimage.filters.gaussian
def gaussian(image, sigma=1, multichannel=None, **k):
    return _g(image, sigma=sigma, channel_axis=-1 if multichannel else None, **k)
skimage.filters.gaussian = gaussian
from imagecorruptions import corruptions as C
from PIL import Image

def picture(h, w):
    y, x = np.mgrid[:h, :w]
    r = (x * 5 + y * 3) % 256
    g = ((x // 8 + y // 6) % 2) * 140 + (x * y) % 97
    b = (128 + 100 * ((x - w // 2) ** 2 + (y - h // 2) ** 2 < (h // 4) ** 2)) - (y % 7) * 3
    return np.stack([r, g, b], -1).astype(np.uint8)

out = {}
p = picture(40, 56); im = Image.fromarray(p); out["picture"] = p
for n in "defocus_blur zoom_blur brightness contrast pixelate jpeg_compression gaussian_blur saturate".split():
    for s in range(1, 6):
        out[f"{n}.{s}"] = np.uint8(np.clip(np.asarray(getattr(C, n)(im, s), dtype=np.float64), 0, 255))
np.savez_compressed(sys.argv[1], **out)
# Of 40 results (10 of glass_blur) the mean and the sample deviation of: mean and deviation of the values, mean and deviation of their change, mean
# difference of neighbours across and down.
st = {}
p = picture(96, 128); im = Image.fromarray(p)
np.random.seed(0)
for n in "gaussian_noise shot_noise impulse_noise speckle_noise glass_blur motion_blur snow fog spatter".split():
    for s in range(1, 6):
        v = []
        for k in range(40 if n != "glass_blur" else 10):
            q = np.uint8(np.clip(np.asarray(getattr(C, n)(im, s), dtype=np.float64), 0, 255)).astype(float)
            d = q - p
            v.append([q.mean(), q.std(), d.mean(), d.std(), np.abs(np.diff(q, axis=1)).mean(), np.abs(np.diff(q, axis=0)).mean()])
        v = np.array(v); st[f"{n}.{s}"] = np.stack([v.mean(0), v.std(0, ddof=1)])
np.savez_compressed(sys.argv[2], **st)
