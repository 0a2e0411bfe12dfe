"""Where gateways call us: receipts and replies."""
