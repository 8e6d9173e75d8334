"""What the database and the installer know of transit times, learned anew."""

from __future__ import annotations

from pipeline.linking.config import LinkingConfig
from pipeline.linking.topology import Topology
from pipeline.linking.topology_learning import learn
from storage.database import Database
from storage.transits import journeys


def learn_topology(database: Database, linking: LinkingConfig) -> Topology:
    """The topology of the newest sightings; some seconds at most, so not for every tracklet."""
    return learn(
        journeys(
            database,
            least_probability=linking.topology.least_probability,
            newest=linking.topology.newest_sightings,
        ),
        config=linking.topology,
        horizon_s=linking.horizon_h * 3600,
        stated=linking.transits,
        overlapping=linking.overlapping,
    )
