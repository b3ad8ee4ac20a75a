"""Checks that a folder holds a wheel and an sdist with all files of both packages:
python check_dist.py FOLDER."""

import pathlib
import sys
import tarfile
import zipfile

folder = pathlib.Path(sys.argv[1])
source = pathlib.Path(__file__).parents[1] / "src"
wanted = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc" and "egg-info" not in str(p)}
(wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
missing = wanted - set(zipfile.ZipFile(wheel).namelist())
with tarfile.open(sdist) as t:
    missing |= wanted - {n.split("/src/", 1)[-1] for n in t.getnames()}
if missing:
    sys.exit(f"not packaged: {', '.join(sorted(missing))}")
print(f"{wheel.name} and {sdist.name} hold all {len(wanted)} files")
