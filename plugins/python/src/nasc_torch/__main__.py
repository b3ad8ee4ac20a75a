"""`python -m nasc_torch` prints the folder of the plugin, for `nasc run --plugin` and
`nasc plugin install`."""

from pathlib import Path

print(Path(__file__).parent / "package")
