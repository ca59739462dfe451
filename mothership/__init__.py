"""What the four rooms share: model, errors, settings, output, store, engine and the command table."""

__version__ = "0.1.0"
