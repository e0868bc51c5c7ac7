"""Whatever reads what a stranger sends, tried at random in `make test` and led by coverage in `make fuzz`."""
