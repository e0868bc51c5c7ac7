"""Wallbox drivers: a real one over OCPP 1.6J, one for people who read their meter, and a virtual wallbox."""
