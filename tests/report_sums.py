"""Whether the sums of a report.json add up, written down apart from the code that computes them."""


def checked(report):
    """The report, if all of its sums add up (P4)."""
    wrong = imbalances(report)
    assert not wrong, (wrong, report)
    return report


def imbalances(report):
    """The sums that do not add up, in words; none when all do."""
    copied, failed, skipped, deleted = (report[part] for part in ("copied", "failed", "skipped", "deleted"))
    newer, late = report["copied_newer"], skipped["after_planning"]
    equations = {
        "failed by reason": (failed["objects"], sum(failed["by_reason"].values())),
        "skipped by reason": (skipped["objects"], sum(skipped.get("by_reason", {}).values())),
        "deletions failed by reason": (deleted["failed"], sum(deleted.get("failed_by_reason", {}).values())),
    }
    if report["verdict"] != "PLANNED":
        done = copied["objects"] + failed["objects"] + late["objects"]
        equations["planned objects"] = (report["planned"]["objects"], done)
        as_planned = copied["bytes"] - newer["bytes"] + newer["planned_bytes"]
        equations["planned bytes"] = (report["planned"]["bytes"], as_planned + failed["bytes"] + late["bytes"])
        made = sum(deleted[part] for part in ("objects", "held", "failed", "back_at_source"))
        equations["planned deletions"] = (deleted["planned"], made)
    wrong = [f"{what}: {whole} is not {parts}" for what, (whole, parts) in equations.items() if whole != parts]
    if newer["objects"] > copied["objects"]:
        wrong.append("more objects were copied newer than were copied")
    return wrong
