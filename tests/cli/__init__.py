"""The command line: offline commands for real, the others against a stub that speaks the API's contract."""
