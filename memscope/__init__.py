"""memscope: see which memory each response of an agent depended on."""

__version__ = "0.1.0"
