"""`python -m ordertrail` is `ordertrail`."""

from ordertrail.cli import main

if __name__ == "__main__":
    main()
