"""Twenty short tests to read first. Each shows one promise of the program on real parts, in the order of the files."""
