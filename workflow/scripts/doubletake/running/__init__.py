"""Running safely: logs, files, digests, the store, locks, manifests."""
