"""Searching vectors: which of those kept are most similar to these?

One index holds vectors of one network only. The database is the truth; every index can be made
anew from it.
"""

from __future__ import annotations

from storage.vectors.approximate import ApproximateIndex
from storage.vectors.flat import FlatIndex
from storage.vectors.index import VectorIndex, VectorSearch

__all__ = ["ApproximateIndex", "FlatIndex", "VectorIndex", "VectorSearch"]
