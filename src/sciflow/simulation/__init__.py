"""What a plan would come to on nodes that are made up: when it would be done, and how well they are used."""
