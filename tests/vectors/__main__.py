"""`python -m tests.vectors` says which files of docs/vectors are not what the rules say; `--write` writes them anew."""

import argparse
import sys

from tests.vectors.files import FILES, FOLDER, text_of


def main(arguments: list[str] | None = None) -> int:
    """1 where a file differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what differs")
    options = parser.parse_args(arguments)
    texts = {FOLDER / name: text_of(file) for name, file in FILES.items()}
    differing = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    for path in differing:
        if options.write:
            path.write_text(texts[path])
        print(f"{path.name} {'is written' if options.write else 'is not what the rules say'}")
    return 1 if differing and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
