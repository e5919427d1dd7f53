"""The top floor: the `rimay` command, the wiring, the servers of our own, the demo."""

__version__ = "0.1.0"
