"""What the server does by itself, without anybody asking: leases that run out, keys that grow old."""
