"""What an experiment is: typed values, their checks, and their TOML form. Imports nothing of ours."""
