"""`python -m shardlift_local.package`: the deployable zips, one file `bootstrap` in each.

The same binary always gives the same zip, byte for byte: times and permissions are fixed, so a
deployment of unchanged code changes nothing.
"""

import zipfile

from .deployment import ROOT

FUNCTIONS = ("planner", "copier", "reporter")
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE_EXECUTABLE = 0o755


def package(binaries_dir, zips_dir):
    """Zips each function's binary. Returns the zips' paths by function."""
    zips_dir.mkdir(parents=True, exist_ok=True)
    return {name: zip_bootstrap(binaries_dir / name, zips_dir / f"{name}.zip") for name in FUNCTIONS}


def zip_bootstrap(binary, path, extra=None):
    """Writes a zip with the binary as `bootstrap`, and further files by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"bootstrap": binary.read_bytes(), **(extra or {})}.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = MODE_EXECUTABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def main():
    """Zips the release binaries and tells their sizes."""
    target = ROOT / "target"
    for path in package(target / "release", target / "lambda").values():
        size_mib = path.stat().st_size / 2**20
        print(f"{path.relative_to(ROOT)}: {size_mib:.1f} MiB")


if __name__ == "__main__":
    main()
