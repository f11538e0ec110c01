"""The failure codes are one set: in Rust, in the state machine, in its README."""

from .project import ASL_README_PATH, all_states, asl, rust_failure_codes, table_rows

DESIGNED = set(
    "InvalidRun AccessDenied RoleUnavailable BucketOwnerMismatch BucketUnavailable ListingIncomplete RunOverlap "
    "DeleteLimitExceeded SourceMissing SourceChanged TargetConflict ObjectArchived ObjectUnsupported ImageUnreadable "
    "ImageTooLarge Throttled ServiceFault IntegrityMismatch TargetDiffers LedgerConflict InvariantViolated".split()
)


def names_in_asl(field):
    """Our own names (AWS's hold a dot) in the Retry or the Catch of every state."""
    rules = [rule for state in all_states(asl()).values() for rule in state.get(field, [])]
    return {name for rule in rules for name in rule["ErrorEquals"] if "." not in name}


def test_rust_has_the_codes_of_the_design():
    assert {code.name for code in rust_failure_codes()} == DESIGNED


def test_the_readme_tells_what_rust_tells():
    documented = [tuple(row) for row in table_rows(ASL_README_PATH.read_text(), "Failure codes")]
    declared = [(f"`{c.name}`", c.concerns, c.retry, c.meaning, c.action) for c in rust_failure_codes()]
    assert documented == declared


def test_the_machine_names_each_code_that_can_end_a_run():
    ends_a_run = {code.name for code in rust_failure_codes() if "run" in code.concerns}
    assert names_in_asl("Catch") == ends_a_run


def test_the_machine_retries_only_codes_that_time_heals():
    later = {code.name for code in rust_failure_codes() if code.retry == "later"}
    assert names_in_asl("Retry") == {"Throttled", "ServiceFault", "LedgerConflict"} <= later


def test_every_code_that_the_machine_writes_itself_is_declared():
    written = {
        value
        for state in all_states(asl()).values()
        for value in strings_under(state.get("Parameters", {}), ("error", "Error", "code"))
        if value
    }
    assert written == {"InvariantViolated"}


def strings_under(node, keys):
    """The strings under these keys, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in keys and isinstance(value, str):
                yield value
            yield from strings_under(value, keys)
