"""What a worker's handlers receive, one file each: fetch, scheduled, queue."""
