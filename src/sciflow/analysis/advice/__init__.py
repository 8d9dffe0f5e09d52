"""What tasks should ask for the next time, by what earlier ones used."""
