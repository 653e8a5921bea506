"""The hot path: signed papers, receipts, the entry event, Redis keys and Lua scripts.

The one contract between the web and scoring. Imports the standard library, redis and msgspec, nothing else.
"""
