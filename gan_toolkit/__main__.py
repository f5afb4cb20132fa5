"""`python -m gan_toolkit`: the command line."""

from gan_toolkit.cli import main

if __name__ == "__main__":
    main()
