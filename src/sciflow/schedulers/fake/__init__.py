"""A cluster that is nothing but memory: nodes, a queue and a virtual clock, on which weeks take seconds."""
