"""Venues: one folder each, holding its connection, its data and its execution."""
