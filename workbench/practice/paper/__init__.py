"""The paper venue as a process of its own: its market goes on, and its orders rest, when nobody is connected."""
