"""The mutation score of the rules of risk and of filling: each rule is taken out of a copy of the project, and a test has to fail."""
