"""Running a release: Swarm services computed as plain data, performed, and watched until they serve."""
