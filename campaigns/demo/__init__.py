"""The campaigns of the demo world: senders, texts that went out, what came back. Development only."""
