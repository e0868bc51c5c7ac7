"""Booking: the signed records of one booking, the state they make together, and the desks on both sides."""
