"""Record, show and search machine-learning runs on a server of your own."""
