r"""Coverage-guided fuzzing of the loader, by hand: see CONTRIBUTING.

::

    pip install atheris
    python tests/fuzz/fuzz_loader.py -max_total_time=600 -timeout=10 -rss_limit_mb=1024 \
        -dict=tests/fuzz/words.dict NEW tests/fuzz/corpus

NEW is a directory for what the fuzzer finds interesting. An input that breaks a promise is written to the
current directory; mend the loader, and keep the input in ``tests/fuzz/corpus``, where CI tries it for ever.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

with atheris.instrument_imports(include=["reconciler.loading", "reconciler.diagnostics"]):
    import loader_promises


def main() -> None:
    """Fuzz until told to stop."""
    artifacts = Path.cwd()
    corpora = [str(Path(text).resolve()) if not text.startswith("-") else text for text in sys.argv[1:]]
    directory = Path(tempfile.mkdtemp(prefix="codat-sync-fuzz-"))
    atheris.Setup(
        [sys.argv[0], f"-artifact_prefix={artifacts}/", *corpora],
        lambda data: loader_promises.check(data, directory),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
