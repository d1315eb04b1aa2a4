"""Settings that hold for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines that run the tests are busy: a time limit on one example says nothing of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
