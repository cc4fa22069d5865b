"""The small bounds and the assets of the tests of the API."""

from tests.api.conftest import assets, small_bounds

__all__ = ["assets", "small_bounds"]
