"""How often each detector of events is right, on traces labelled by a reader."""
