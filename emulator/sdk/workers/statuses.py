"""HTTP statuses that change what a response may have."""

NO_BODY = (101, 103, 204, 205, 304)
REDIRECTS = (301, 302, 303, 307, 308)
