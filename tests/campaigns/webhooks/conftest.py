"""Hooks with gateways behind them that are configured."""

from tests.campaigns.gateways.conftest import all_configured

__all__ = ["all_configured"]
