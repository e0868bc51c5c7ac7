"""Parcels for peers that are away, held by volunteers who can't read them (specs/15)."""
