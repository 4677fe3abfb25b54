"""`python -m thumbnet` and torchrun's way in."""

from thumbnet.cli import main

main()
