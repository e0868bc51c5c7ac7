"""Parcels for peers that are away: held for others by a volunteer, handed in and collected by everybody."""
