"""What `make release` puts together is all that the README's deployment needs."""

import hashlib
import re
import tarfile

import pytest
from shardlift_local import release
from shardlift_local.package import FUNCTIONS


@pytest.fixture
def built(tmp_path):
    """A target folder with zips and the command, and the archive made of them."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "release").mkdir()
    for name in FUNCTIONS:
        (tmp_path / "lambda" / f"{name}.zip").write_bytes(name.encode())
    (tmp_path / "release" / "shardlift").write_bytes(b"the command")
    release.main([], tmp_path)
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    return archive


def unpacked(archive, into):
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    (folder,) = into.iterdir()
    return folder


def test_every_file_is_there_and_summed(built, tmp_path):
    folder = unpacked(built, tmp_path / "somewhere")
    assert folder.name == f"shardlift-{release.version()}-linux-x86_64"
    sums = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(sums) | {"SHA256SUMS"}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == sum_ for name, sum_ in sums.items())
    outside = built.with_name(built.name + ".sha256").read_text()
    assert outside == f"{hashlib.sha256(built.read_bytes()).hexdigest()}  {built.name}\n"
    assert (folder / "bin" / "shardlift").stat().st_mode & 0o111


def test_the_readmes_deployment_finds_its_files(built, tmp_path):
    folder = unpacked(built, tmp_path / "somewhere")
    readme = (folder / "README.md").read_text("utf-8")
    deployment = readme.split("## Deploy to two accounts", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"(?:--template-file |\()((?:infra|docs|statemachine)/[\w./-]+)", deployment))
    # `aws cloudformation package` writes this one.
    assert "infra/template.yaml" in named
    assert all((folder / name).exists() for name in named), named
    template = (folder / "infra" / "template.yaml").read_text("utf-8")
    beside = re.findall(r"(?:CodeUri|DefinitionUri): (\S+)", template)
    assert len(beside) == len(FUNCTIONS) + 1
    assert all((folder / "infra" / path).resolve().is_file() for path in beside)
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme)
    assert links
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.usefixtures("built")
def test_without_the_command_there_is_no_release(tmp_path):
    (tmp_path / "release" / "shardlift").unlink()
    with pytest.raises(SystemExit) as refused:
        release.main([], tmp_path)
    assert "shardlift is missing: cargo build" in refused.value.code


def test_the_same_files_make_the_same_archive(built, tmp_path):
    before = built.read_bytes()
    release.main([], tmp_path)
    assert built.read_bytes() == before


def test_nothing_of_the_development_goes_along(built, tmp_path):
    folder = unpacked(built, tmp_path / "somewhere")
    names = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    assert not [name for name in names if name.endswith((".pyc", ".py")) and not name.startswith("examples/")]
    assert not [name for name in names if name.startswith(("tests", "lambdas", "infra/local"))]
