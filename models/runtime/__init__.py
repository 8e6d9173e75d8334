"""One network, several libraries that can run it: export, parity, and the choice of the fastest."""
