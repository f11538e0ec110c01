"""What can be held without running anything: contracts, templates, the state machine, the layering."""
