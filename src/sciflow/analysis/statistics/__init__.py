"""How metrics depend on parameters: effects, tests, sensitivity, trends."""
