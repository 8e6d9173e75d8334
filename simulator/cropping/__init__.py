"""Person crops in both lights, to train and measure re-identification."""
