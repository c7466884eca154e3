"""The parts of the demo sound library maker."""
