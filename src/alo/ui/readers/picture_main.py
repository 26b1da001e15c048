"""A process of its own that decodes pictures: what no one has looked at may take what it wants.

One JSON object for each line of its standard input, one for each answer. It ends when nothing was
asked for a while, or when whoever asks has ended.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from alolib.disk import is_full

MOST_BYTES = 2 << 30  # of address space
MOST_PIXELS = 100_000_000
IDLE_S = 60
QUALITY = 80
KINDS = {  # as Pillow calls them, and the suffixes they have
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}


def main() -> None:
    """Answer until nothing is asked any more."""
    import resource

    from PIL import Image

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    Image.MAX_IMAGE_PIXELS = None  # the size is looked at before anything is decoded
    while True:
        signal.alarm(IDLE_S)
        line = sys.stdin.readline()
        signal.alarm(0)
        if not line:
            return
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The size and kind of a picture, and its thumbnail in the target; or why there is none.

    Where there was no room for it: only that.
    """
    from PIL import Image, UnidentifiedImageError

    facts: dict[str, Any] = {"width": 0, "height": 0, "kind": "", "problem": "", "notes": []}
    path, side = asked["path"], asked["side"]
    try:
        with Image.open(path, formats=list(KINDS)) as image:
            width, height = image.size
            facts |= {"width": width, "height": height, "kind": image.format}
            suffix = Path(path).suffix.lower()
            if suffix not in KINDS[image.format or ""]:
                facts["notes"] = [f"the name ends in {suffix}, the picture is {image.format}"]
            if width * height > MOST_PIXELS:
                size = f"{width:,} x {height:,} pixels"
                facts["problem"] = f"it has {size}; at most {MOST_PIXELS:,} are decoded"
                return facts
            image.thumbnail((side, side))
            made = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
            made.save(asked["target"], "WEBP", quality=QUALITY)
    except UnidentifiedImageError:
        facts["problem"] = "it is no picture of a kind known here, whatever its name says"
    except MemoryError:
        facts["problem"] = "decoding it takes too much memory"
    except Exception as error:  # decoders raise what they like at broken files
        if is_full(error):  # of the picture nothing is known to be wrong
            return {"full": True}
        facts["problem"] = f"it cannot be decoded: {error}"
    return facts


if __name__ == "__main__":
    main()
