"""The command table: a verb is written once and reached through every door."""
