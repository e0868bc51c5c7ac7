"""The same time each week, every occurrence a booking of its own (specs/05, "Weekly series")."""
