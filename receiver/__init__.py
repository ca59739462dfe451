"""Pushes and commands come in: SSH and smart HTTP in front of native git."""
