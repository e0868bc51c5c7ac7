"""iCalendar (RFC 5545): a host's own calendar, read for its busy times, and bookings, given out as one."""
