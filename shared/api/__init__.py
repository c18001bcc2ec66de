"""What travels over the HTTP API: requests and answers, the same for the server and its clients."""
