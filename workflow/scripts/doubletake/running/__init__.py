"""What keeps a run safe: logs, files, digests, the store, locks, manifests."""
