"""Measuring quiz80 on the machine at hand: `python -m bench PART…`, or `make bench` and its parts."""
