"""Side by side with peers, one table each; `python -m benchmarks.<name> --format table|json`."""
