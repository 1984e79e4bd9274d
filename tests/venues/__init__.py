"""What every venue must do, and what each of them offers to be tried."""
