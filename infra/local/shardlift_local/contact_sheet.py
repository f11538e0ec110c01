"""A contact sheet: the thumbnails of a prefix on one page, which needs nothing but itself."""

import base64
import html
from dataclasses import dataclass

# What renditions are, and what a browser shows. Anything else is named, and not put into the page.
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp")

STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --sheet: #fff; --ink: #1b2330; --faint: #5a6475; --line: #dde1e8;
  --square: #e9ecf2; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #10141b; --sheet: #181e28; --ink: #e6eaf1; --faint: #a0aabb; --line: #2c3543; --square: #252d3a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.25rem 1rem 2rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: clamp(1.3rem, 4vw, 1.8rem); line-height: 1.2; }
h2 { margin: 1.5rem 0 .3rem; font-size: 1.05rem; }
p { margin: .3rem 0; color: var(--faint); }
ul { list-style: none; margin: 1rem 0 0; padding: 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(9.5rem, 100%), 1fr)); }
figure { margin: 0; height: 100%; background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem;
  overflow: hidden; }
/* Squares, so that what is transparent is seen. */
.frame { position: relative; aspect-ratio: 1;
  background: 0 0 / 1rem 1rem
    conic-gradient(var(--square) 25%, var(--sheet) 0 50%, var(--square) 0 75%, var(--sheet) 0); }
img { position: absolute; inset: 0; margin: auto; max-width: calc(100% - 1rem); max-height: calc(100% - 1rem); }
figcaption { padding: .5rem .7rem .6rem; font-size: .875rem; line-height: 1.35; border-top: 1px solid var(--line); }
figcaption span { display: block; color: var(--faint); font-size: .8125rem; font-variant-numeric: tabular-nums; }
.names { display: block; padding-left: 1.2rem; list-style: disc; margin: 0; }
"""


@dataclass(frozen=True)
class Thumbnail:
    """A rendition as it is at the target, and the size of what it was made of."""

    key: str
    body: bytes
    content_type: str
    source_bytes: int


def contact_sheet(title, thumbnails, left_out=()):
    """Returns the page, as HTML. `left_out` are keys of the source that have no rendition."""
    shown = [thumbnail for thumbnail in thumbnails if thumbnail.content_type in CONTENT_TYPES]
    unnamed = [thumbnail.key for thumbnail in thumbnails if thumbnail.content_type not in CONTENT_TYPES]
    total, of_total = sum(len(one.body) for one in shown), sum(one.source_bytes for one in shown)
    count = "1 thumbnail" if len(shown) == 1 else f"{len(shown):,} thumbnails"
    figures = "\n".join(_figure(thumbnail) for thumbnail in shown)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
<p>{count}, {size(total)} of {size(of_total)}</p>
<ul>
{figures}
</ul>
{_names("Without a thumbnail", left_out)}{_names("Not shown, being no image", unnamed)}</main>
</body>
</html>
"""


def _figure(thumbnail):
    key = html.escape(thumbnail.key)
    data = base64.b64encode(thumbnail.body).decode()
    return (
        f'<li><figure><div class="frame"><img alt="Thumbnail of {key}" '
        f'src="data:{thumbnail.content_type};base64,{data}"></div>'
        f"<figcaption>{key}<span>{size(len(thumbnail.body))} of {size(thumbnail.source_bytes)}</span></figcaption>"
        f"</figure></li>"
    )


def _names(heading, keys):
    if not keys:
        return ""
    items = "".join(f"<li>{html.escape(key)}</li>" for key in keys)
    return f'<h2>{heading}</h2>\n<ul class="names">{items}</ul>\n'


def size(count):
    """Returns a size for people, in the unit that leaves few digits."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1000 or unit == "MB":
            return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError
