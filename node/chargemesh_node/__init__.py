"""The chargemesh daemon: the protocol's shell, with each outside thing behind one small port."""
