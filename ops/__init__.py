"""Operations: the command line, benchmarks, and what runs eventflow in production."""
