"""The front desk's pages: what operators see and press. They ask of the same API as programs."""

from pipeline.web.app import add_pages

__all__ = ["add_pages"]
