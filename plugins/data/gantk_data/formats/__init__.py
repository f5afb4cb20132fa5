"""Parsers of the formats that data sets come in: bytes in, arrays or tables out."""
