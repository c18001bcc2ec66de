"""The console programs, as people and scripts use them."""
