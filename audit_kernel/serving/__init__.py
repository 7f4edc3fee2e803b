"""Many users on a hospital's servers: log-in, devices, sessions, and what `audit-kernel serve` writes and checks."""
