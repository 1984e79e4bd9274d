"""The mutation score of the risk rules: each rule is taken out of a copy of the project, and a test has to fail."""
