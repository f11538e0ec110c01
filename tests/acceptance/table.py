"""The table of the cases, for the screen and for docs/REALITY.md."""

import datetime
import textwrap

from .case import AS_EXPECTED, KNOWN_FAULT, ONLY_AWS, RED
from .metering import BUDGET_USD

WIDTH = 100


def printed(results, lines, is_local):
    """The results for the screen: a paragraph for each case, and the lines after them."""
    text = ""
    for number, result in enumerate(results, 1):
        text += f"{number:>3}  {result.verdict:<19} {result.seconds:>6.1f} s  {result.case.name}\n"
        indent = " " * 5
        case = result.case
        for word, what in (("expected", case.expected), ("seen", result.seen), *_marks(result, is_local)):
            text += (
                textwrap.fill(f"{word}: {what}", WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") + "\n"
            )
    return text + "\n" + "\n".join(lines)


def _marks(result, is_local):
    if result.case.known_fault:
        yield "known fault", result.case.known_fault
    if is_local and result.case.lenient:
        yield "not judged here", result.case.lenient


def summary(results, meter, left, notes, is_local):
    """The lines after the table: sums, money, what is left."""
    counts = {
        verdict: sum(1 for r in results if r.verdict == verdict)
        for verdict in (AS_EXPECTED, ONLY_AWS, KNOWN_FAULT, *RED)
    }
    lines = [", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)]
    if is_local:
        lines.append("The local stack costs nothing; on AWS these requests would cost:")
    lines += [f"  ${usd:.4f}  {what}" for what, usd in meter.usd_by_kind().items()]
    lines.append(
        f"  ${meter.usd():.4f}  in all, estimated at us-east-1 list prices; the suite may cost ${BUDGET_USD:.2f}"
    )
    lines += notes
    lines += ["Could not be removed:", *(f"  {line}" for line in left)] if left else ["Everything was removed."]
    return lines


def reality(results, lines, facts):
    """docs/REALITY.md, or its local counterpart."""
    where = "the local stack, which is not AWS" if facts["is_local"] else "AWS"
    today = datetime.datetime.now(datetime.timezone.utc).date()
    text = f"# What was seen on {where}\n\n"
    text += f"Written by `make acceptance` on {today}, commit {facts['commit']}, Regions {facts['regions']}, "
    text += f"{facts['aws']}. The numbers are those of [MODEL.md](MODEL.md#assumptions-about-aws).\n\n"
    text += "| Case | Assumptions | Expected | Seen | Verdict | Seconds |\n| --- | --- | --- | --- | --- | --- |\n"
    for result in results:
        case = result.case
        cells = (case.name, " ".join(case.assumptions), case.expected, result.seen, result.verdict)
        text += "| " + " | ".join(_cell(cell, facts["secrets"]) for cell in cells) + f" | {result.seconds:.1f} |\n"
    return text + "\n```text\n" + _hidden("\n".join(lines), facts["secrets"]) + "\n```\n"


def _cell(text, secrets):
    return _hidden(text, secrets).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _hidden(text, secrets):
    # Account ids are no secrets, but nobody's business either.
    for secret, stand_in in secrets.items():
        text = text.replace(secret, stand_in)
    return text
