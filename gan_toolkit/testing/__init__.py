"""Conformance classes and tiny parts for tests, ours and third parties'."""
