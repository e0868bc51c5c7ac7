"""What a wallbox tells, made trustworthy: reports, and the pure folding of misbehaving meters into them."""
