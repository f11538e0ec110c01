"""`python -m shardlift_local.animation`: records the command on the local stack, and draws docs/demo.svg from it.

The animation shows what a terminal showed, frame by frame, so it is made again whenever the screens change. It is an
SVG with styles alone: no script runs, and it stands still for people who ask for less motion.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from contextlib import suppress
from html import escape

from .accounts import source_account
from .deployment import ROOT
from .sample import MULTIPART_THRESHOLD_BYTES, generated_sample, upload
from .stack import OUTPUTS_PATH, PORT_DEFAULT, up

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
PICTURE = ROOT / "docs" / "demo.svg"
COLUMNS, ROWS = 80, 30
FRAMES_MAX = 40
# How long the last frame of a command is shown.
PAUSE_SECONDS = 4.0
CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 8.43, 19, 16
CONTROL = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r|\n)|([^\x1b\r\n]+)")
STYLES = {"1": "strong", "2": "faint", "32": "good", "31": "bad", "33": "few"}


class Terminal:
    """As much of a terminal as the command uses: it moves up and down, clears lines, and sets a style."""

    def __init__(self, columns=COLUMNS):
        self._columns = columns
        self.lines = [[]]
        self._row = self._column = 0
        self._style = ""

    def feed(self, text):
        for arguments, kind, control, plain in CONTROL.findall(text):
            if plain:
                for character in plain:
                    self._put(character)
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._row += 1
                self._column = 0
                while len(self.lines) <= self._row:
                    self.lines.append([])
            else:
                self._obey(arguments, kind)

    def _put(self, character):
        if self._column == self._columns:
            self.feed("\n")
        line = self.lines[self._row]
        line.extend([(" ", "")] * (self._column + 1 - len(line)))
        line[self._column] = (character, self._style)
        self._column += 1

    def _obey(self, arguments, kind):
        if kind == "A":
            self._row = max(0, self._row - int(arguments or 1))
        elif kind == "B":
            self._row += int(arguments or 1)
            self.lines.extend([] for _ in range(self._row + 1 - len(self.lines)))
        elif kind == "K":
            line = self.lines[self._row]
            del line[0 if arguments == "2" else self._column :]
        elif kind == "J":
            del self.lines[self._row + 1 :]
            del self.lines[self._row][self._column :]
        elif kind == "m":
            styles = [STYLES[code] for code in arguments.split(";") if code in STYLES]
            self._style = " ".join(styles)

    def picture(self):
        """The lines as SVG, the latest that fit."""
        rows = self.lines[-ROWS:]
        drawn = []
        for number, line in enumerate(rows):
            y = MARGIN + (number + 1) * LINE_HEIGHT
            spans = "".join(_span(run) for run in _runs(line))
            if spans:
                drawn.append(f'<text x="{MARGIN}" y="{y}">{spans}</text>')
        return "".join(drawn)


def _runs(line):
    """Neighboring characters of one style."""
    run = []
    for cell in line:
        if run and run[-1][1] != cell[1]:
            yield run
            run = []
        run.append(cell)
    if run:
        yield run


def _span(run):
    text = escape("".join(character for character, _style in run))
    return f'<tspan class="{run[0][1]}">{text}</tspan>' if run[0][1] else text


def record(arguments, terminal, shown):
    """Types a command, runs it on a terminal, and adds the frames: pairs of (seconds until the next, picture)."""
    terminal.feed("$ ")
    for word in f"shardlift {shown}".split(" "):
        terminal.feed(word + " ")
        yield 0.15, terminal.picture()
    terminal.feed("\r\n")
    main, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    line = [SHARDLIFT, "--local", "--local-outputs", OUTPUTS_PATH, *arguments]
    process = subprocess.Popen(line, env=environment, stdin=child, stdout=child, stderr=child)
    os.close(child)
    last = time.monotonic()
    # A terminal whose other end is closed is an error to read.
    with suppress(OSError):
        while True:
            ready, _write, _error = select.select([main], [], [], 0.2)
            now = time.monotonic()
            if ready:
                terminal.feed(os.read(main, 65536).decode("utf-8", "replace"))
            if now - last > 0.3:
                yield now - last, terminal.picture()
                last = now
    os.close(main)
    process.wait()
    terminal.feed("\r\n")
    yield PAUSE_SECONDS, terminal.picture()


def thinned(frames):
    """As many frames as fit, without those that show nothing new. No time is lost."""
    kept = []
    for seconds, picture in frames:
        if kept and kept[-1][1] == picture:
            kept[-1] = (kept[-1][0] + seconds, picture)
        else:
            kept.append((seconds, picture))
    while len(kept) > FRAMES_MAX:
        at = min(range(1, len(kept) - 1), key=lambda number: kept[number][0])
        kept[at - 1] = (kept[at - 1][0] + kept[at][0], kept[at - 1][1])
        del kept[at]
    return kept


def svg(frames):
    """The animation: each frame is visible for its time, the last one for people who ask for less motion."""
    total = sum(seconds for seconds, _picture in frames)
    width, height = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN), ROWS * LINE_HEIGHT + 2 * MARGIN
    styles, groups, begin = [], [], 0.0
    for number, (seconds, picture) in enumerate(frames):
        end = begin + seconds
        from_percent, to_percent = 100 * begin / total, min(100.0, 100 * end / total)
        hidden = f"0%{{opacity:0}}{from_percent - 0.001:.3f}%{{opacity:0}}" if begin else ""
        after = "" if number == len(frames) - 1 else f"{to_percent:.3f}%{{opacity:0}}100%{{opacity:0}}"
        shown = f"{from_percent:.3f}%{{opacity:1}}{to_percent - 0.001:.3f}%{{opacity:1}}"
        styles.append(f"@keyframes f{number}{{{hidden}{shown}{after}}}#f{number}{{animation-name:f{number}}}")
        groups.append(f'<g id="f{number}" class="frame">{picture}</g>')
        begin = end
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-label="shardlift plans, copies and reports a run in a terminal">'
        "<style>rect{fill:#10141b}text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#e6eaf1;white-space:pre}"
        ".strong{font-weight:700}.faint{fill:#a0aabb}.good{fill:#4cc38a}.bad{fill:#ff8f85}.few{fill:#f0b429}"
        f".frame{{opacity:0;animation:{total:.2f}s step-end infinite}}{''.join(styles)}"
        f"@media (prefers-reduced-motion:reduce){{.frame{{animation:none}}#f{len(frames) - 1}{{opacity:1}}}}</style>"
        f'<rect width="{width}" height="{height}" rx="8"/>{"".join(groups)}</svg>\n'
    )


def main():
    outputs = up(PORT_DEFAULT if "PORT" not in os.environ else int(os.environ["PORT"]))
    upload(generated_sample(), source_account(outputs["endpoint_url"]).client("s3"), outputs["source_bucket"])
    terminal, frames = Terminal(), []
    threshold = f"--multipart-threshold-bytes={MULTIPART_THRESHOLD_BYTES}"
    frames += record(["start", "--watch", threshold, "--name", "nightly-22"], terminal, "start --watch")
    frames += record(["status"], terminal, "status")
    PICTURE.write_text(svg(thinned(frames)), "utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
