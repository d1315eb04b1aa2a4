"""What `codewhere bench` measures: every stage on this machine, the device's peak, and other models beside ours."""

from indexer.bench.stages import Result, measure

__all__ = ["Result", "measure"]
