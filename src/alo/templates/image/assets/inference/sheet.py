"""Draw pictures side by side, each above what it shows, as SVG: an image that is written as text.

In your own solution you would rather use Pillow or Matplotlib.
"""

from html import escape

COLUMNS, ZOOM, GAP, TEXT = 6, 5, 12, 18  # ZOOM, GAP and TEXT in pixels of the sheet


def contact_sheet(pictures, texts, is_marked):
    """An SVG document; the text below a marked picture is red."""
    wide = max(picture["width"] for picture in pictures) * ZOOM + GAP
    high = max(picture["height"] for picture in pictures) * ZOOM + GAP + TEXT
    rows = -(-len(pictures) // COLUMNS)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * wide}" height="{rows * high}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, (picture, text, marked) in enumerate(zip(pictures, texts, is_marked, strict=True)):
        row, column = divmod(place, COLUMNS)
        svg.append(f'<g transform="translate({column * wide + GAP / 2} {row * high + GAP / 2})">')
        svg += squares(picture)
        color = "red" if marked else "black"
        below = picture["height"] * ZOOM + TEXT - 4
        svg.append(f'<text y="{below}" font-size="14" fill="{color}">{escape(text)}</text></g>')
    return "\n".join([*svg, "</svg>", ""])


def squares(picture):
    """One square for each pixel that is not black, on a black ground."""
    width, height = picture["width"], picture["height"]
    yield f'<rect width="{width * ZOOM}" height="{height * ZOOM}"/>'
    for place, pixel in enumerate(picture["pixels"]):
        if pixel > 0:
            y, x = divmod(place, width)
            where = f'x="{x * ZOOM}" y="{y * ZOOM}" width="{ZOOM}" height="{ZOOM}"'
            yield f'<rect {where} fill="white" fill-opacity="{pixel:.2f}"/>'
