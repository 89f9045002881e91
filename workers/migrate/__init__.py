"""Rolling out a new engine: a second state beside the one that serves, and what differs between them."""
