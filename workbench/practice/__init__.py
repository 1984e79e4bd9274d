"""What one can practise against offline: venues that speak as the real ones do, on this machine only."""
