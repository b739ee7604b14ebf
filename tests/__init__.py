"""Tests by behaviour, on real servers."""
