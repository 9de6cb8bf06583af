"""`python -m python_scoring` is the same as `lm`."""

from python_scoring.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
