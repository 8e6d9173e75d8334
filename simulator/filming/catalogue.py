"""The scenarios by name. Imports nothing, so that `noctule --help` stays quick."""

from __future__ import annotations

SCENARIOS = {
    "town": "All three places, linked by streets: people go from one to the next, day and night.",
    "plaza": "A square between houses: two cameras share its ground, one watches a passage.",
    "lobby": "Indoors: two cameras share a hall with pillars, one watches a corridor's far end.",
    "carpark": "Two rows of cars: two cameras share the lane, a colour camera watches a footpath.",
    "demo": "The footage that comes with noctule: six people, two cameras by day, two by night.",
}
DEFAULT = "town"
PERIODS = ("day", "dusk", "night")
