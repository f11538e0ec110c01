"""The animation in the README: what draws it, and that it stays small and runs nothing."""

import re
from xml.parsers import expat

from shardlift_local.animation import FRAMES_MAX, PICTURE, Terminal, svg, thinned

from .project import ROOT

BYTES_MAX = 300_000


def shown(terminal):
    return ["".join(character for character, _style in line).rstrip() for line in terminal.lines]


def test_a_line_that_is_redrawn_is_there_once():
    terminal = Terminal(20)
    terminal.feed("start\r\n1 of 2\r\nrest\r\x1b[2K\x1b[1A\r\x1b[2K2 of 2\n\r\x1b[1;32mCOMPLETE\x1b[0m")
    assert shown(terminal) == ["start", "2 of 2", "COMPLETE"]
    assert terminal.lines[2][0] == ("C", "strong good")
    assert '<tspan class="strong good">COMPLETE</tspan>' in terminal.picture()


def test_two_lines_that_are_cleared_leave_nothing():
    terminal = Terminal(20)
    terminal.feed("bar and more\r\n  rest of it\x1b[1A\r\x1b[2K\x1b[1B\r\x1b[2K\x1b[1A\rdone")
    assert shown(terminal) == ["done", ""]


def test_a_line_that_is_too_long_goes_on_below():
    terminal = Terminal(5)
    terminal.feed("123456<")
    assert shown(terminal) == ["12345", "6<"]
    assert "6&lt;" in terminal.picture()


def test_frames_are_few_and_no_time_is_lost():
    frames = [(0.1, str(number // 2)) for number in range(1_000)]
    kept = thinned(frames)
    assert len(kept) == FRAMES_MAX
    assert abs(sum(seconds for seconds, _picture in kept) - 100) < 1e-6
    assert kept[-1][1] == "499"


def test_the_animation_is_small_and_runs_nothing():
    text = PICTURE.read_text("utf-8")
    assert len(text.encode()) < BYTES_MAX
    expat.ParserCreate().Parse(text, True)
    assert not re.search(r"<script|href|url\(|\bon\w+=", text)
    assert "COMPLETE" in text
    assert "](docs/demo.svg)" in (ROOT / "README.md").read_text("utf-8")
    expat.ParserCreate().Parse(svg([(1.0, ""), (1.0, "")]), True)
