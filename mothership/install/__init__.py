"""Making a server of a machine: `scripts/up` and `scripts/down`."""
